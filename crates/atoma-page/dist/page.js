const place = document.getElementById("page");
fetch("health", { headers: { "X-Atoma-Page": "1" } })
  .then((response) => response.json())
  .then((health) => { place.textContent = `The daemon is up: ${health.status}.`; })
  .catch((error) => { place.textContent = `The daemon can't be reached: ${error.message}`; });
