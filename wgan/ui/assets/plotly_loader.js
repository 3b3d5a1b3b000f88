// Unpacks plotly.min.js, which arrives gzipped as this component's data, and hands it to the
// figures through one promise on `window`. Whoever comes first, figure or loader, creates it.
export default function ({ data }) {
  const shared = (window.__wganPlotly ??= deferred())
  if (shared.started || !data) return
  shared.started = true
  unpack(data).then(shared.resolve, shared.reject)
}

function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  const source = await new Response(stream).blob()
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
  try {
    await new Promise((resolve, reject) => {
      const script = document.createElement("script")
      script.src = url
      script.onload = resolve
      script.onerror = () => reject(new Error("plotly.min.js did not run"))
      document.head.append(script)
    })
  } finally {
    URL.revokeObjectURL(url)
  }
  return window.Plotly
}
