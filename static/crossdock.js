"use strict";
// Every page works without this file: it only saves a second click, a wrong click or a long copy.

// After a submit the button rests, so that an impatient second click sends nothing twice.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.defaultPrevented || event.target.method === "get") return;
  // A disabled button is left out of the form's data, hence only after the browser has collected it.
  setTimeout(() => {
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
  });
});

// What a page asks for by itself, every few seconds, keeps nobody signed in: such a request has no event behind it.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.triggeringEvent) event.detail.headers["X-Crossdock-Poll"] = "1";
});

// The back button brings a page as it was left, with its button still resting.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[aria-busy='true']").forEach((button) => {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  });
});

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

// Plus and minus beside a number: shipped hidden, since without this file they would do nothing.
document.querySelectorAll("[data-stepper]").forEach((stepper) => {
  const field = stepper.querySelector("input");
  stepper.querySelectorAll("[data-step]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const wanted = (parseInt(field.value, 10) || 0) + Number(button.dataset.step);
      field.value = Math.min(Math.max(wanted, Number(field.min)), Number(field.max));
    });
  });
});

// What a scanner types goes into the search box, wherever the focus was left; but not out of a field somebody fills in.
document.addEventListener("keydown", (event) => {
  const box = document.querySelector(".scan input");
  const isTyped = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (box && isTyped && !event.target.matches("input:not([type='radio']), select, textarea")) box.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.textContent.trim());
  button.querySelector("[data-copied]").hidden = false;
  button.querySelector("[data-uncopied]").hidden = true;
}

// A copy button without JavaScript, or on an unsafe address, would do nothing: it is shipped hidden.
if (navigator.clipboard) {
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
}

// htmx swaps nothing when the server fails or cannot be reached: say so in the words base.html holds.
const trouble = document.getElementById("trouble");
if (trouble) {
  const show = (hidden) => () => { trouble.hidden = hidden; };
  document.body.addEventListener("htmx:responseError", show(false));
  document.body.addEventListener("htmx:sendError", show(false));
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.shouldSwap) trouble.hidden = true;
  });
}
