// Draws the charts of a page over their still pictures, as they come into view.
const dark = matchMedia("(prefers-color-scheme: dark)");

async function live(chart) {
  const { spec, colours } = JSON.parse(chart.querySelector("script").textContent);
  const text = JSON.stringify(spec).replace(
    /#0a[0-2][0-9a-f]{3}/g,
    (standing) => colours[standing][dark.matches ? 1 : 0],
  );
  const place = document.createElement("div");
  place.className = "live";
  await vegaEmbed(place, JSON.parse(text), {
    actions: false,
    renderer: "svg",
    logLevel: 1, // errors: a layer that shows nothing yet is no warning
    tooltip: { theme: dark.matches ? "dark" : "light" },
  });
  const picture = place.querySelector("svg");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", chart.querySelector(".still").ariaLabel);
  chart.querySelector(".live")?.remove();
  chart.append(place);
}

if (window.vegaEmbed) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        seen.unobserve(entry.target);
        live(entry.target);
      }
    }
  }, { rootMargin: "400px" });
  const charts = document.querySelectorAll(".chart");
  charts.forEach((chart) => seen.observe(chart));
  dark.addEventListener("change", () => charts.forEach((chart) => {
    if (chart.querySelector(".live")) live(chart);
  }));
}
