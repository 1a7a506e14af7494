// Makes the page open without a network, where the browser allows it (HTTPS, or this computer).

const { serviceWorker } = navigator;

addEventListener("load", async () => {
  try {
    await serviceWorker?.register("service-worker.js");
    serviceWorker?.controller?.postMessage("loaded");
  } catch {
    // Not allowed here: then it needs the network.
  }
});
