// Probes with the best of the gallery: filtered, sorted, and drawn only where they are seen.
const BEYOND = 3;
const WAYS = {
  order: (first, second) => first.order - second.order,
  hardest: (first, second) => second.place - first.place || first.top - second.top,
  easiest: (first, second) => first.place - second.place || second.top - first.top,
  sure: (first, second) => second.top - first.top,
  unsure: (first, second) => first.top - second.top,
  identity: (first, second) => first.item.identity.localeCompare(second.item.identity, "en", { numeric: true }),
};
const SHOWN = {
  all: () => true,
  hits: (answer) => answer.first,
  misses: (answer) => !answer.first,
  lost: (answer) => !answer.found,
  hardest: (answer) => answer.hard,
};

function understood(search) {
  const answers = search.answers.map(([probe, place, hits, scores], order) => {
    const item = DATA.items[probe];
    const mated = hits.map((hit) => DATA.items[hit].identity === item.identity);
    const rank = mated.indexOf(true) + 1;
    return {
      order, probe, item, hits, scores, mated, place: place === "inf" ? Infinity : place ?? (rank || Infinity), measured: place !== null,
      first: mated[0] === true, found: rank > 0, top: scores.length ? scores[0] : -Infinity,
    };
  });
  [...answers].sort(WAYS.hardest).forEach((answer, number) => { answer.hard = number < Math.ceil(answers.length / 10); });
  return answers;
}

class Answers {
  constructor(player) {
    this.player = player;
    this.list = byId("list");
    this.rows = new Map();
    this.ready = DATA.searches.map(() => null);
    byId("search").append(...DATA.searches.map((search, number) =>
      make("option", { value: number }, `${search.name}: ${search.probe} to ${search.gallery}`)));
    byId("filters").addEventListener("input", (event) => this.choose(event.target.id === "search"));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", (event) => {
      const kept = byId("search").value;
      setTimeout(() => { byId("search").value = kept; this.choose(false); });
    });
    this.list.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        byId("identity").focus();
      }
    });
    addEventListener("scroll", () => this.later(), { passive: true });
    addEventListener("resize", () => this.again());
    byId("detail-close").addEventListener("click", () => byId("detail").close());
    this.choose(true);
  }

  choose(other) {
    const place = Number(byId("search").value);
    this.search = DATA.searches[place];
    this.answers = this.ready[place] ??= understood(this.search);
    if (other) {
      this.groups();
      const scores = this.answers.flatMap((answer) => answer.scores);
      this.range = scores.length ? [scores.reduce((a, b) => Math.min(a, b)), scores.reduce((a, b) => Math.max(a, b))] : [0, 1];
      for (const each of document.querySelectorAll(".reasons")) each.hidden = Number(each.dataset.search) !== place;
    }
    const wanted = byId("identity").value.trim().toLowerCase();
    const asked = [...byId("groups").querySelectorAll("select")].map((each) => [each.dataset.column, each.value]).filter(([, value]) => value !== "");
    this.shown = this.answers.filter((answer) => SHOWN[byId("show").value](answer)
      && (!wanted || answer.item.identity.toLowerCase().includes(wanted) || answer.item.name.toLowerCase().includes(wanted))
      && asked.every(([column, value]) => answer.item.traits[column] === value.slice(1)));
    this.shown.sort(WAYS[byId("sort").value]);
    this.say();
    this.again();
  }

  say() {
    const hits = this.shown.filter((answer) => answer.first).length, count = this.shown.length;
    const share = count ? ` (${(100 * hits / count).toFixed(1)} %)` : "";
    const of = this.search.total > this.answers.length ? `; the run has ${this.search.total.toLocaleString("en")}, of which these were drawn` : "";
    byId("count").textContent = `${count.toLocaleString("en")} of ${this.answers.length.toLocaleString("en")} probes${of}. First hit matched: ${hits.toLocaleString("en")}${share}.`;
    byId("none").hidden = count > 0;
    const compared = DATA.compared.map((column) => `${column[0].toUpperCase()}= same ${column}, ${column[0].toUpperCase()}≠ another`);
    byId("legend").textContent = ["Solid frame with a tick: matched; dashed frame with a cross: mismatched. Bars and numbers: similarity", ...compared].join("; ") + ".";
  }

  // A choice for each column in which the probes differ, with at most thirty values.
  groups() {
    const columns = new Map();
    for (const answer of this.answers) {
      for (const [column, value] of Object.entries(answer.item.traits)) {
        if (!columns.has(column)) columns.set(column, new Set());
        if (columns.get(column).size <= 30) columns.get(column).add(value);
      }
    }
    byId("groups").replaceChildren(...[...columns].filter(([, values]) => values.size > 1 && values.size <= 30).map(([column, values]) =>
      make("label", { title: column }, make("bdi", {}, column), make("select", { "data-column": column }, make("option", { value: "" }, "any"),
        ...[...values].sort().map((value) => make("option", { value: "=" + value }, value))))));
  }

  again() {
    this.height = parseFloat(getComputedStyle(this.list).getPropertyValue("--row"));
    this.list.style.height = this.height * this.shown.length + "px";
    this.list.replaceChildren();
    this.rows.clear();
    this.render();
  }

  later() {
    this.due ??= requestAnimationFrame(() => { this.due = undefined; this.render(); });
  }

  render() {
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.height) - BEYOND);
    const last = Math.min(this.shown.length, Math.ceil((top + innerHeight) / this.height) + BEYOND);
    for (const [place, row] of this.rows) {
      if ((place < first || place >= last) && !row.contains(document.activeElement)) {
        row.remove();
        this.rows.delete(place);
      }
    }
    for (let place = first; place < last; place++) if (!this.rows.has(place)) this.insert(place);
  }

  // Rows stand in their order, so that the tabulator goes through them as the eye does.
  insert(place) {
    const row = this.row(this.shown[place], place);
    const next = [...this.rows.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
    this.list.insertBefore(row, next === undefined ? null : this.rows.get(next));
    this.rows.set(place, row);
  }

  row(answer, place) {
    const { item } = answer;
    const best = !answer.measured ? "" : answer.place === Infinity ? "no match in the gallery" : `best match: place ${number(answer.place)}`;
    const who = make("div", { class: "who" }, make("bdi", { class: "name", title: item.name }, item.name),
      make("bdi", { class: "identity", title: item.identity }, item.identity), make("span", { class: "place" }, best));
    const probe = make("div", { class: "probe" }, this.look(answer.probe, `Probe ${item.name}`, () => this.open(answer, -1)), who);
    const hits = make("ol", { class: "hits", "aria-label": `Best of the gallery for ${item.name}` },
      ...answer.hits.map((_, rank) => this.hit(answer, rank)));
    const row = make("li", { class: "answer", "aria-setsize": this.shown.length, "aria-posinset": place + 1 }, probe, hits);
    row.style.transform = `translateY(${place * this.height}px)`;
    return row;
  }

  hit(answer, rank) {
    const mated = answer.mated[rank], score = answer.scores[rank].toFixed(2);
    const said = this.compared(answer, rank);
    const about = `Rank ${rank + 1}, ${mated ? "matched" : "mismatched"}, ${score}${said.words ? ", " + said.words : ""}`;
    const meter = make("span", { class: "meter", "aria-hidden": "true" }, make("i"));
    const [low, high] = this.range;
    meter.firstChild.style.width = 100 * (high > low ? (answer.scores[rank] - low) / (high - low) : 1) + "%";
    const open = () => this.open(answer, rank);
    const look = this.look(answer.hits[rank], about, open);
    look.append(make("span", { class: "sign" }, icon(mated ? "match" : "other")));
    const label = make("button", { type: "button", class: "score", "aria-label": `About rank ${rank + 1}` }, score, meter);
    label.addEventListener("click", open);
    return make("li", { class: "hit " + (mated ? "match" : "other") }, look, label, make("div", { class: "traits", title: said.words }, said.signs));
  }

  // What a hit has in common with its probe, in signs and in words.
  compared(answer, rank) {
    const one = answer.item.traits, other = DATA.items[answer.hits[rank]].traits, signs = [], words = [];
    for (const column of DATA.compared) {
      if (!Object.hasOwn(one, column) || !Object.hasOwn(other, column)) continue;
      const same = one[column] === other[column];
      signs.push(column[0].toUpperCase() + (same ? "=" : "≠"));
      words.push(`${same ? "same" : "other"} ${column}`);
    }
    return { signs: signs.join(" "), words: words.join(", ") };
  }

  look(place, about, open) {
    const item = DATA.items[place];
    if (!item.media) {
      const nothing = make("button", { type: "button", class: "look", "aria-label": `${about}: cannot be shown` }, make("span", { class: "nothing", "aria-hidden": "true" }, "?"));
      nothing.addEventListener("click", open);
      return nothing;
    }
    if (item.modality === "face") {
      const button = make("button", { type: "button", class: "look", "aria-label": `${about}. Open` }, make("img", { src: mediaUrl(item.media), alt: "", decoding: "async" }));
      button.addEventListener("click", open);
      return button;
    }
    const seconds = item.seconds.toFixed(1);
    const button = make("button", { type: "button", class: "look clip", "data-item": place, "aria-pressed": "false", "aria-label": `${about}. Play, ${seconds} seconds` },
      this.outline(item, ""), this.outline(item, " over"), make("span", { class: "button" }));
    button.addEventListener("click", () => this.player.toggle(place));
    this.player.mark(button);
    return button;
  }

  outline(item, more) {
    const bars = item.outline.map((height, place) => {
      const half = 1 + height / 64 * 26;
      return `M${place} ${(30 - half).toFixed(1)}h.7v${(2 * half).toFixed(1)}h-.7z`;
    });
    return draw("svg", { class: "outline" + more, viewBox: `0 0 ${item.outline.length || 1} 60`, preserveAspectRatio: "none", "aria-hidden": "true" }, draw("path", { d: bars.join("") }));
  }

  open(answer, rank) {
    const place = rank < 0 ? answer.probe : answer.hits[rank], item = DATA.items[place];
    byId("detail-title").textContent = item.name;
    const media = !item.media ? make("p", {}, "It cannot be shown.") : item.modality === "face"
      ? make("img", { src: mediaUrl(item.media), alt: `face, ${item.name}` }) : this.look(place, item.name, () => {});
    byId("detail-media").replaceChildren(media);
    const facts = [["identity", item.identity]];
    if (rank >= 0) {
      facts.push(["rank", String(rank + 1)], ["score", answer.scores[rank].toFixed(4)], ["mark", answer.mated[rank] ? "✓ matched: of the probe's identity" : "✗ mismatched: of another identity"]);
      const { words } = this.compared(answer, rank);
      if (words) facts.push(["beside the probe", words]);
      facts.push(["probe", answer.item.name]);
    }
    facts.push(...Object.entries(item.traits));
    byId("detail-facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("bdi", {}, value))]));
    byId("detail").showModal();
  }

  key(event) {
    const row = event.target.closest(".answer");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const place = Number(row.getAttribute("aria-posinset")) - 1;
    const to = { ArrowDown: place + 1, j: place + 1, ArrowUp: place - 1, k: place - 1, Home: 0, End: this.shown.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.goTo(Math.min(this.shown.length - 1, Math.max(0, to)));
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      const stops = [...row.querySelectorAll("button.look")];
      const own = event.target.closest(".hit")?.querySelector(".look") ?? event.target;
      const next = stops[Math.min(stops.length - 1, Math.max(0, stops.indexOf(own) + (event.key === "ArrowRight" ? 1 : -1)))];
      next.focus();
    }
  }

  goTo(place) {
    const box = this.list.getBoundingClientRect(), top = box.top + place * this.height;
    if (top < 0 || top + this.height > innerHeight - 60) scrollBy(0, top - (innerHeight - this.height) / 2);
    this.render();
    this.rows.get(place)?.querySelector("button.look").focus({ preventScroll: true });
  }
}
