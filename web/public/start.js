// Starts the page: the build names its two files in the script element that names this one.

const { js, wasm } = document.querySelector("script[data-js]").dataset;
const { default: start } = await import(js);
await start({ module_or_path: wasm });
