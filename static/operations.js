"use strict";
// unfold's pages under a policy that evaluates no strings and takes no styles from the page.
{
  htmx.config.allowEval = false;
  htmx.config.includeIndicatorStyles = false; // operations.css has them
  htmx.config.attributesToSettle = ["class", "width", "height"]; // Alpine sets styles; copying one writes an attribute

  // Alpine's build for such a policy reads expressions itself, and shows them no globals: those of unfold stand here.
  const globals = {
    window: {
      location: {
        get pathname() {
          return location.pathname;
        },
        get search() {
          return location.search;
        },
        get hash() {
          return location.hash;
        },
        set href(address) {
          location.href = address;
        },
      },
    },
    getCurrentTab: () => getCurrentTab(),
    sortRecords: (event) => sortRecords(event),
    moveRecords: (event) => moveRecords(event),
  };

  // The handle at the edge of the sidebar.
  const sidebar = () => ({
    resizing: false,
    resize(event) {
      if (!this.resizing) return;
      const fromRight = getComputedStyle(this.$el).direction === "rtl";
      const edge = fromRight ? document.getElementById("nav-sidebar").getBoundingClientRect().right : 0;
      this.sidebarWidth = Math.min(360, Math.max(220, Math.abs(event.clientX - edge)));
      localStorage.setItem("sidebarWidth", this.sidebarWidth);
    },
  });

  // What a reader of screens is not told otherwise: what is chosen in a list that can be searched, and Django's own hint.
  const name = (place) => {
    place.querySelectorAll("select.select2-hidden-accessible").forEach((select) => {
      const [label, chosen] = [select.labels[0], select.nextElementSibling?.querySelector("[role=combobox]")];
      if (!label || !chosen || label.id) return;
      label.id = `label-of-${select.id}`;
      chosen.setAttribute("aria-labelledby", `${label.id} ${chosen.getAttribute("aria-labelledby") ?? ""}`.trim());
      chosen.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    });
    place.querySelectorAll(".help-tooltip[aria-label]").forEach((hint) => hint.setAttribute("role", "img"));
  };
  addEventListener("load", () => setTimeout(name, 0, document));
  document.addEventListener("formset:added", (event) => setTimeout(name, 0, event.target));

  // A button that copies a field is shipped hidden: without this file, or on an unsafe address, it would do nothing.
  addEventListener("load", () => {
    document.querySelectorAll("button[data-copies]").forEach((button) => {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).value);
        button.textContent = button.dataset.copied;
      });
    });
  });

  document.addEventListener("alpine:init", () => {
    Alpine.data("theme", (chosen) => ({ ...theme(chosen), ...globals }));
    Alpine.data("searchCommand", () => searchCommand());
    Alpine.data("sidebar", sidebar);
  });
}
