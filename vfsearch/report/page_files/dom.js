// Elements are made here alone, and texts enter them as text: nothing that a name says can become markup.
const SVG = "http://www.w3.org/2000/svg";

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const make = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) => put(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);
const read = (id) => JSON.parse(byId(id).textContent || "null");

const DATA = read("data");
const MEDIA = read("media");
const TYPES = { jpg: "image/jpeg", mp3: "audio/mpeg" };

// Where a medium is: in this page, or in the folder beside it.
function mediaUrl(name) {
  if (MEDIA === null) return "media/" + name;
  return "data:" + TYPES[name.split(".").pop()] + ";base64," + MEDIA[name];
}

function number(value) {
  if (value === null) return "-";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
