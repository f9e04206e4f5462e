// Times as bars, as a table and as text. They look like the server's, see latency_html.py.

import { nameOf } from "../device/opening.js";
import { make } from "../dom.js";
import { quartiles } from "./measuring.js";

const NONE = "–";
const ROUGH = 0.25; // of a median: quartiles that lie farther apart are a busy device's
const BUSY = "≈: this device was busy; quartiles lie more than a quarter of the median apart.";
const KINDS = { here: "this device", server: "the server", paper: "the paper" };

const ms = (value) => (value === undefined ? NONE : `${value.toFixed(1)} ms`);
const valueOf = (row, kind) => (kind === "here" ? row.here[1] : row[kind]);

/** Horizontal bars from 0. */
export function drawBars(rows) {
  const longest = Math.max(...rows.flatMap(({ here, server = 0, paper = 0 }) => [here[2], server, paper]));
  const percent = (value) => `${((100 * value) / longest).toFixed(2)}%`;
  const kinds = Object.keys(KINDS).filter((kind) => rows.some((row) => valueOf(row, kind)));
  const bar = (row, kind) => {
    const value = valueOf(row, kind);
    const [low, , high] = kind === "here" ? row.here : [value, value, value];
    const spread = make("b", { style: `left:${percent(low)};width:${percent(high - low)}` });
    return make("div", { class: `bar ${kind}` },
      make("i", { style: `width:${percent(value)}` }),
      ...(kind === "here" ? [spread] : []),
      make("span", { style: `left:${percent(Math.max(value, high))}` }, ms(value)));
  };
  const legend = kinds.flatMap((kind) =>
    [make("span", { class: `bar ${kind}` }, make("i")), ` ${KINDS[kind]} `]);
  const bars = rows.flatMap((row) => [
    make("div", { class: "name" }, row.name),
    make("div", { class: "track" }, ...kinds.filter((kind) => valueOf(row, kind)).map((kind) => bar(row, kind))),
  ]);
  return make("div", { class: "bars", "aria-hidden": "true" }, make("p", { class: "legend" }, ...legend), ...bars);
}

/** The same in words, with how it was measured. */
export function drawTable(rows, found) {
  const heads = ["network", ...headsOf(found)];
  const body = rows.map((row) => {
    const cells = cellsOf(row, rows).map((cell, at) => make("td", { "data-head": heads[at + 1] }, cell));
    return make("tr", {}, make("th", { scope: "row" }, row.name), ...cells);
  });
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  return make("div", {},
    make("table", { class: "latency" }, make("thead", {}, head), make("tbody", {}, ...body)),
    make("p", { class: "hint" }, `${noteOf(rows, found)} Nothing of it is sent anywhere.`));
}

export function textOf(rows, found) {
  const lines = rows.map((row) => [row.name, ...cellsOf(row, rows)]);
  const table = [["network", ...headsOf(found)], ...lines];
  const widths = table[0].map((_, at) => Math.max(...table.map((line) => line[at].length)));
  const text = table.map((line) => line.map((cell, at) => cell.padEnd(widths[at])).join("  ").trimEnd());
  return [...text, "", noteOf(rows, found), ""].join("\n");
}

const headsOf = ({ side }) =>
  [`this device, ${side}×${side}`, "quartiles", "speed-up", "server", "paper"];

const isRough = ({ here: [low, median, high] }) => high - low > ROUGH * median;

function cellsOf(row, rows) {
  const { here: [low, median, high], server, paper } = row;
  const rough = isRough(row) || isRough(rows[0]) ? "≈ " : "";
  const speedUp = `${rough}${(rows[0].here[1] / median).toFixed(2)}×`;
  const spread = `${low.toFixed(1)}–${high.toFixed(1)} ms`;
  return [ms(median), spread, speedUp, ms(server), ms(paper)];
}

function noteOf(rows, { device, side, times, ways }) {
  const repeats = Object.values(times)[0].length;
  const busy = rows.some(isRough) ? `${BUSY} ` : "";
  const way = ways.length
    ? `by the GPU’s clock; the way there and back takes ${ms(quartiles(ways)[1])} more`
    : "with its way to the graphics device and back";
  return `${busy}Median of ${repeats} interleaved repeats after warm-up, with quartiles, on a picture of ` +
    `${side}×${side} px, ${way}. ${nameOf(device)}.`;
}
