"use strict";
// The first page asks again only while somebody can see it, and what was open or shut stays so when it is written anew.

const opened = new Map();

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "now" && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "now") return;
  for (const one of event.target.querySelectorAll("details[id]")) opened.set(one.id, one.open);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const one of document.querySelectorAll("#now details[id]")) one.open = opened.get(one.id) ?? one.open;
});
