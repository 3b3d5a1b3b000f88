// Charts that stay: each figure keeps its node, and Plotly changes what is in it. Zoom and hover
// survive.

const FAILED = "The chart could not be drawn; training goes on. Reload the page to try again."

export function drawer(node, { parent }) {
  const charts = []
  return {
    show({ figures }) {
      while (charts.length > figures.length) charts.pop().close()
      while (charts.length < figures.length) charts.push(mount(parent, node))
      figures.forEach((figure, i) => charts[i].show(figure))
    },
    close() {
      for (const chart of charts.splice(0)) chart.close()
    },
  }
}

// Plotly, once a tab.
function library() {
  return (window.__wganPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = new URL("plotly.min.js", import.meta.url)
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => reject(new Error("plotly.min.js did not come"))
    document.head.append(script)
  }))
}

const BOX = `<div class="wgan-figure-title"></div>
  <div class="wgan-figure"><div class="wgan-figure-plot"></div>
  <div class="wgan-figure-wait" aria-hidden="true"></div></div>
  <div class="wgan-figure-note"></div>`

function mount(parent, grid) {
  const box = document.createElement("div")
  box.className = "wgan-figure-box"
  box.innerHTML = BOX
  grid.append(box)
  const title = box.querySelector(".wgan-figure-title")
  const note = box.querySelector(".wgan-figure-note")
  const frame = box.querySelector(".wgan-figure")
  const wait = box.querySelector(".wgan-figure-wait")
  const plot = box.querySelector(".wgan-figure-plot")
  const touch = matchMedia("(hover: none) and (pointer: coarse)").matches
  let Plotly = null
  let config = null // one object for good: a changed config makes Plotly start over
  let figure = null // the latest data, as it came
  let zoom = {} // axis name -> range chosen by the user; kept here, since Plotly drops it when
  let zooms = 0 // the page's own range has changed. `zooms` counts the times it was undone
  let drawn = false
  let held = false // a pointer is down on the chart: a redraw would break the drag
  let scheduled = 0

  const schedule = () => {
    scheduled ||= requestAnimationFrame(() => {
      scheduled = 0
      draw().catch(fail)
    })
  }

  async function draw() {
    const width = frame.clientWidth
    if (!Plotly || !figure || held || width === 0 || !plot.isConnected) return // hidden: later
    const size = { width, height: fit() }
    const layout = themed(figure.layout, theme(parent), { ...size, zoom, zooms, touch })
    const { data, frames } = figure
    halt()
    await Plotly.react(plot, frames ? { data, layout, config, frames } : data, layout, config)
    if (drawn) return
    drawn = true
    wait.hidden = true
    plot.on("plotly_relayout", remember)
    plot.on("plotly_doubleclick", unzoom)
  }

  // Where x and y have one scale, a narrow place needs less height.
  function fit() {
    const square = figure.layout.yaxis?.scaleanchor === "x"
    const height = square ? Math.min(figure.height, (frame.clientWidth || Infinity) + 40) : figure.height
    frame.style.height = `${height}px`
    return height
  }

  // A figure that plays would go on after Plotly has forgotten what it plays.
  function halt() {
    cancelAnimationFrame(plot._transitionData?._animationRaf)
  }

  function fail(error) {
    console.error("A chart could not be drawn.", error)
    if (drawn) return // the last good picture stays
    wait.dataset.failed = ""
    wait.textContent = FAILED
  }

  function remember(changes) {
    for (const [name, value] of Object.entries(changes)) {
      const part = name.match(/^([xy]axis\d*)\.range(?:\[([01])\])?$/)
      if (!part) continue
      if (part[2] === undefined) zoom[part[1]] = [...value]
      else (zoom[part[1]] ??= [...plot.layout[part[1]].range])[part[2]] = value
    }
  }

  function unzoom() {
    zoom = {}
    zooms += 1
    schedule()
  }

  const settings = () => ({
    displaylogo: false,
    showSendToCloud: false,
    scrollZoom: false,
    doubleClick: false, // see `unzoom`: the axes that Plotly would return to have grown
    displayModeBar: touch ? false : "hover",
    modeBarButtons: [
      [
        { name: "reset", title: "Show everything", icon: Plotly.Icons.home, click: unzoom },
        { name: "picture", title: "Save as PNG", icon: Plotly.Icons.camera, click: save },
      ],
    ],
  })

  function save() {
    const layout = { ...plot.layout, paper_bgcolor: theme(parent).background }
    const size = { width: frame.clientWidth, height: frame.clientHeight, scale: 2 }
    Plotly.downloadImage(
      { data: plot.data, layout },
      { format: "png", filename: figure.name, ...size },
    )
  }

  const down = () => (held = true)
  const up = () => {
    if (!held) return
    held = false
    setTimeout(schedule) // after Plotly has finished the drag itself
  }
  plot.addEventListener("pointerdown", down, true)
  window.addEventListener("pointerup", up, true)
  window.addEventListener("pointercancel", up, true)
  window.addEventListener("blur", up)
  const sized = new ResizeObserver(schedule) // also fires when a hidden tab is opened
  sized.observe(frame)

  library().then(loaded => {
    Plotly = loaded
    config = settings()
    schedule()
  }, fail)

  return {
    show(data) {
      figure = data
      title.textContent = data.title
      title.hidden = !data.title
      note.textContent = data.note
      note.hidden = !data.note
      fit()
      frame.setAttribute("role", "figure") // no image: its menus and buttons can be reached
      frame.setAttribute("aria-label", data.alt)
      schedule()
    },
    close() {
      cancelAnimationFrame(scheduled)
      sized.disconnect()
      window.removeEventListener("pointerup", up, true)
      window.removeEventListener("pointercancel", up, true)
      window.removeEventListener("blur", up)
      halt()
      if (drawn) Plotly.purge(plot)
      box.remove()
    },
  }
}

function theme(parent) {
  const style = getComputedStyle(parent)
  const value = name => style.getPropertyValue(`--st-${name}`).trim()
  return {
    text: value("text-color"),
    background: value("background-color"),
    panel: value("secondary-background-color"),
    line: value("border-color"),
    faint: value("border-color-light"),
    font: value("font"),
  }
}

function themed(given, look, { width, height, zoom, zooms, touch }) {
  const layout = structuredClone(given)
  const narrow = width < 480
  Object.assign(layout, {
    width,
    height,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, color: look.text, size: narrow ? 11 : 13 },
    hoverlabel: { bgcolor: look.panel, bordercolor: look.line, font: { color: look.text } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: look.line, activecolor: look.text },
  })
  if (touch) layout.dragmode = false
  for (const name of Object.keys(layout).filter(key => /^[xy]axis\d*$/.test(key))) {
    const axis = layout[name]
    axis.gridcolor = look.faint
    axis.zerolinecolor = look.line
    axis.zerolinewidth = 2
    axis.fixedrange = touch
    axis.uirevision = zooms
    if (zoom[name]) axis.range = [...zoom[name]]
  }
  for (const name of ["xaxis", "yaxis", "zaxis"]) {
    const axis = layout.scene?.[name]
    if (axis) Object.assign(axis, { color: look.text, gridcolor: look.line, showbackground: false })
  }
  if (touch && layout.scene) layout.scene.dragmode = false // a finger scrolls the page
  const control = { bgcolor: look.panel, bordercolor: look.line, font: { color: look.text } }
  for (const menu of layout.updatemenus ?? []) Object.assign(menu, control)
  for (const slider of layout.sliders ?? []) Object.assign(slider, control)
  for (const note of layout.annotations ?? []) {
    // Half see-through: legible over a curve, which shows below.
    note.bgcolor = /^#[0-9a-f]{6}$/i.test(look.background) ? `${look.background}a0` : look.background
    if (narrow) note.font = { ...note.font, size: 9 }
  }
  return layout
}
