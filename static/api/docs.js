"use strict";
// Swagger UI for our own description; nothing is asked of any other server.

const place = document.getElementById("api-docs");
window.SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  validatorUrl: null,
});
