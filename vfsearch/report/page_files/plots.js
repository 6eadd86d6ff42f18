// Diagrams: places on the axes and ticks come ready made; here they are drawn, pointed at, and lines hidden.
const SIZE = { width: 440, height: 310, left: 60, right: 14, top: 12, bottom: 52 };

class Diagram {
  constructor(plot) {
    this.plot = plot;
    this.hidden = new Set();
    this.svg = draw("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, tabindex: 0, role: "img", "aria-label": this.about() });
    this.readout = make("p", { class: "readout", "aria-live": "polite" });
    this.cross = draw("g");
    this.place = 0;
    this.node = make("figure", {}, make("figcaption", { dir: "auto" }, plot.title), this.svg, this.names(), this.readout, this.asTable());
    this.svg.addEventListener("pointermove", (event) => this.pointAt(event));
    this.svg.addEventListener("pointerleave", () => this.forget());
    this.svg.addEventListener("blur", () => this.forget());
    this.svg.addEventListener("keydown", (event) => this.step(event));
    this.redraw();
  }

  about() {
    const { plot } = this;
    const lines = plot.lines.map((line) => line.name).join("; ");
    return `${plot.title}: ${plot.y.label} against ${plot.x.label}. Lines: ${lines}. Arrow keys give values.`;
  }

  x(place) { return SIZE.left + (place - this.plot.x.low) / (this.plot.x.high - this.plot.x.low) * (SIZE.width - SIZE.left - SIZE.right); }
  y(place) { return SIZE.height - SIZE.bottom - (place - this.plot.y.low) / (this.plot.y.high - this.plot.y.low) * (SIZE.height - SIZE.top - SIZE.bottom); }

  redraw() {
    const clip = "clip-" + this.plot.name;
    const area = { x: SIZE.left, y: SIZE.top, width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom };
    const inside = draw("g", { "clip-path": `url(#${clip})` });
    if (this.plot.chance) inside.append(draw("path", { class: "chance", d: this.path(this.plot.chance) }));
    this.plot.lines.forEach((line, number) => { if (!this.hidden.has(number)) inside.append(this.line(line)); });
    this.svg.replaceChildren(draw("defs", {}, draw("clipPath", { id: clip }, draw("rect", area))), ...this.axes(), inside, this.cross);
  }

  axes() {
    const { plot } = this, bottom = SIZE.height - SIZE.bottom, right = SIZE.width - SIZE.right;
    const marks = [];
    for (const [place, label] of plot.x.ticks) {
      const at = this.x(place);
      marks.push(draw("line", { class: "grid", x1: at, x2: at, y1: SIZE.top, y2: bottom }),
        draw("text", { class: "tick", x: at, y: bottom + 16, "text-anchor": "middle" }, label));
    }
    for (const [place, label] of plot.y.ticks) {
      const at = this.y(place);
      marks.push(draw("line", { class: "grid", x1: SIZE.left, x2: right, y1: at, y2: at }),
        draw("text", { class: "tick", x: SIZE.left - 6, y: at + 4, "text-anchor": "end" }, label));
    }
    const middle = (SIZE.top + bottom) / 2;
    marks.push(draw("text", { x: (SIZE.left + right) / 2, y: SIZE.height - 10, "text-anchor": "middle" }, plot.x.label),
      draw("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, plot.y.label));
    return marks;
  }

  path(line) {
    let text = "", pen = false;
    line.sx.forEach((place, number) => {
      if (place === null || line.sy[number] === null) { pen = false; return; }
      const x = this.x(place).toFixed(1), y = this.y(line.sy[number]).toFixed(1);
      text += !pen ? `M${x} ${y}` : this.plot.steps ? `H${x}V${y}` : `L${x} ${y}`;
      pen = true;
    });
    return text;
  }

  line(line) {
    const group = draw("g");
    if (this.plot.joined) group.append(draw("path", { class: `curve k${line.colour} d${line.dash}`, d: this.path(line) }));
    if (line.slow) {
      line.sx.forEach((place, number) => group.append(draw("line", {
        class: `interval k${line.colour}`, x1: this.x(place), x2: this.x(place), y1: this.y(line.slow[number]), y2: this.y(line.shigh[number]),
      })));
    }
    if (this.plot.mark || line.sx.length === 1) {
      line.sx.forEach((place, number) => { if (place !== null) group.append(this.dot(line, number)); });
    }
    return group;
  }

  dot(line, number) {
    return draw("circle", { class: `dot k${line.colour}`, cx: this.x(line.sx[number]), cy: this.y(line.sy[number]), r: 4 });
  }

  names() {
    return make("ul", { class: "names" }, ...this.plot.lines.map((line, number) => {
      const sample = draw("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" },
        draw("path", { class: `curve k${line.colour} d${line.dash}`, d: "M0 5H28" }));
      const button = make("button", { type: "button", "aria-pressed": "true", title: line.name }, sample, make("bdi", {}, line.name));
      button.addEventListener("click", () => {
        if (!this.hidden.delete(number)) this.hidden.add(number);
        button.setAttribute("aria-pressed", String(!this.hidden.has(number)));
        this.forget();
        this.redraw();
      });
      return make("li", {}, button);
    }));
  }

  shown() { return this.plot.lines.filter((line, number) => !this.hidden.has(number)); }

  pointAt(event) {
    const box = this.svg.getBoundingClientRect();
    const at = [(event.clientX - box.left) * SIZE.width / box.width, (event.clientY - box.top) * SIZE.height / box.height];
    this.show(at);
  }

  // The point of a line that is nearest to a place: across first, of those as near the nearest in height.
  nearest(line, at) {
    let best = -1, far = Infinity;
    line.sx.forEach((place, number) => {
      if (place === null || line.sy[number] === null) return;
      const away = Math.abs(this.x(place) - at[0]) + Math.abs(this.y(line.sy[number]) - at[1]) / 1000;
      if (away < far) [best, far] = [number, away];
    });
    return best;
  }

  show(at) {
    const texts = [];
    this.cross.replaceChildren(draw("line", { class: "cross", x1: at[0], x2: at[0], y1: SIZE.top, y2: SIZE.height - SIZE.bottom }));
    for (const line of this.shown()) {
      const found = this.nearest(line, at);
      if (found < 0) continue;
      this.cross.append(this.dot(line, found));
      const interval = line.low ? ` (${number(line.low[found])} to ${number(line.high[found])})` : "";
      texts.push(`${line.name}: ${number(line.x[found])} → ${number(line.y[found])}${interval}`);
    }
    this.readout.textContent = texts.length ? `${this.plot.x.label} → ${this.plot.y.label}. ${texts.join("; ")}` : "";
  }

  forget() { this.cross.replaceChildren(); this.readout.textContent = ""; }

  step(event) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const first = this.shown()[0];
    if (!way || !first) return;
    event.preventDefault();
    const jump = Math.max(1, Math.round(first.sx.length / 60));
    this.place = Math.min(first.sx.length - 1, Math.max(0, this.place + way * jump));
    if (first.sx[this.place] !== null && first.sy[this.place] !== null) {
      this.show([this.x(first.sx[this.place]), this.y(first.sy[this.place])]);
    }
  }

  asTable() {
    const details = make("details", {}, make("summary", {}, "As a table"));
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(this.table()); });
    return details;
  }

  table() {
    const rows = [];
    for (const line of this.plot.lines) {
      const every = Math.max(1, Math.ceil(line.x.length / 20));
      line.x.forEach((value, place) => {
        if (place % every === 0 || place === line.x.length - 1) {
          rows.push(make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, line.name)),
            make("td", { class: "number" }, number(value)), make("td", { class: "number" }, number(line.y[place]))));
        }
      });
    }
    const head = ["line", this.plot.x.label, this.plot.y.label].map((text) => make("th", { scope: "col" }, text));
    return make("div", { tabindex: 0, role: "region", "aria-label": `${this.plot.title}, values` },
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
  }
}

function startPlots() {
  byId("plots")?.append(...DATA.plots.map((plot) => new Diagram(plot).node));
}
