// A square to draw points on, with mouse, finger or pen. Python hears of them when the pointer is
// lifted. A new `revision` throws the drawing away and shows `data.points` instead.

const pads = new WeakMap() // parentElement -> its pad
const SPACING = 5 // pixels between points along a stroke
const SPREAD = 4 // pixels: a stroke is a spray this wide, so that a line has thickness
const RADIUS = 3

export default function ({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement)
  if (!pad) {
    pad = mount(parentElement)
    pads.set(parentElement, pad)
  }
  pad.show(data, setStateValue)
  return () => {
    setTimeout(() => {
      if (parentElement.isConnected || pads.get(parentElement) !== pad) return
      pads.delete(parentElement)
      pad.close()
    })
  }
}

function mount(parent) {
  const canvas = parent.querySelector(".wgan-pad")
  const pen = canvas.getContext("2d")
  let data = null
  let send = null
  let points = [] // [x, y] in data coordinates
  let last = null // where the stroke stands, in pixels

  function show(next, setStateValue) {
    if (data?.revision !== next.revision) {
      points = next.points.map(point => [...point])
      last = null
    }
    data = next
    send = setStateValue
    canvas.style.width = canvas.style.height = `${data.height}px`
    label()
    draw()
  }

  function label() {
    const count = points.length.toLocaleString("en-US")
    canvas.setAttribute("aria-label", `Drawing pad for a data set of points: ${count} points`)
  }

  const side = () => canvas.clientWidth
  const toPixel = value => ((value / data.extent + 1) / 2) * side()
  const toData = pixel => (2 * (pixel / side()) - 1) * data.extent

  function draw() {
    const size = side()
    if (!data || size === 0) return
    const density = window.devicePixelRatio || 1
    const exact = Math.round(size * density)
    if (canvas.width !== exact) canvas.width = canvas.height = exact
    canvas.style.height = `${size}px`
    pen.setTransform(density, 0, 0, density, 0, 0)
    pen.clearRect(0, 0, size, size)
    const style = getComputedStyle(parent)
    const color = name => style.getPropertyValue(`--st-${name}`).trim()
    for (let tick = -Math.floor(data.extent); tick <= data.extent; tick++) {
      pen.strokeStyle = color(tick === 0 ? "border-color" : "border-color-light")
      pen.lineWidth = tick === 0 ? 2 : 1
      const at = toPixel(tick)
      line(at, 0, at, size)
      line(0, at, size, at)
    }
    if (points.length === 0) {
      pen.fillStyle = color("text-color")
      pen.font = `16px ${color("font")}`
      pen.textAlign = "center"
      pen.strokeStyle = color("background-color") // the axis stops at the words
      pen.lineWidth = 8
      pen.strokeText("Draw the data here", size / 2, size / 2 - 14)
      pen.fillText("Draw the data here", size / 2, size / 2 - 14)
    }
    pen.strokeStyle = data.color
    pen.lineWidth = 1.5
    for (const [x, y] of points) {
      pen.beginPath()
      pen.arc(toPixel(x), size - toPixel(y), RADIUS, 0, 2 * Math.PI)
      pen.stroke()
    }
  }

  function line(x0, y0, x1, y1) {
    pen.beginPath()
    pen.moveTo(x0, y0)
    pen.lineTo(x1, y1)
    pen.stroke()
  }

  function place(x, y) {
    const spread = () => (Math.random() + Math.random() - 1) * SPREAD
    const inside = value => Math.max(-data.extent, Math.min(data.extent, value))
    const round = value => Math.round(value * 1000) / 1000
    points.push([
      round(inside(toData(x + spread()))),
      round(inside(-toData(y + spread()))),
    ])
    // Full: every second point goes, which keeps the form.
    if (points.length > data.limit) points = points.filter((_, i) => i % 2 === 0)
  }

  function spot(event) {
    const box = canvas.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }

  function strokeTo([x, y]) {
    let distance = Math.hypot(x - last[0], y - last[1])
    while (distance >= SPACING) {
      const share = SPACING / distance
      last = [last[0] + (x - last[0]) * share, last[1] + (y - last[1]) * share]
      place(...last)
      distance -= SPACING
    }
  }

  canvas.onpointerdown = event => {
    if (!event.isPrimary || event.button !== 0) return
    event.preventDefault()
    canvas.setPointerCapture(event.pointerId)
    last = spot(event)
    place(...last)
    draw()
  }
  canvas.onpointermove = event => {
    if (!last || !event.isPrimary) return
    const between = event.getCoalescedEvents?.() ?? []
    for (const each of between.length ? between : [event]) strokeTo(spot(each))
    draw()
  }
  canvas.onpointerup = canvas.onpointercancel = event => {
    if (!last || !event.isPrimary) return
    last = null
    label()
    send("drawing", { revision: data.revision, points })
  }
  const sized = new ResizeObserver(draw)
  sized.observe(canvas)

  return { show, close: () => sized.disconnect() }
}
