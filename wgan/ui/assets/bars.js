// A histogram whose bars are drawn with mouse, finger or pen. Python hears of them when the pointer
// is lifted. A new `revision` throws them away and shows `data.bars` instead.

const pads = new WeakMap() // parentElement -> its pad

export default function ({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement)
  if (!pad) pads.set(parentElement, (pad = mount(parentElement)))
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
  const canvas = parent.querySelector(".wgan-bars")
  const pen = canvas.getContext("2d")
  let data = null
  let send = null
  let bars = [] // 0 to 1
  let last = null // the bar and height where the stroke stands

  function show(next, setStateValue) {
    if (data?.revision !== next.revision) bars = [...next.bars]
    data = next
    send = setStateValue
    canvas.style.height = `${data.height}px`
    canvas.setAttribute("aria-label", data.label)
    draw()
  }

  function draw() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight]
    if (!data || width === 0) return
    const density = window.devicePixelRatio || 1
    canvas.width = Math.round(width * density)
    canvas.height = Math.round(height * density)
    pen.setTransform(density, 0, 0, density, 0, 0)
    pen.clearRect(0, 0, width, height)
    const wide = width / bars.length
    pen.fillStyle = data.color
    bars.forEach((bar, i) => {
      const high = Math.max(bar * (height - 6), 1)
      pen.fillRect(i * wide + 1, height - high, wide - 2, high)
    })
  }

  function spot(event) {
    const box = canvas.getBoundingClientRect()
    const bar = Math.floor(((event.clientX - box.left) / box.width) * bars.length)
    const high = 1 - (event.clientY - box.top) / box.height
    return [Math.min(bars.length - 1, Math.max(0, bar)), Math.min(1, Math.max(0, high))]
  }

  function strokeTo([bar, high]) {
    const [from, low] = last
    const count = Math.max(1, Math.abs(bar - from))
    for (let k = 0; k <= count; k++) {
      const at = Math.round(from + ((bar - from) * k) / count)
      bars[at] = Math.round((low + ((high - low) * k) / count) * 1000) / 1000
    }
    last = [bar, high]
    draw()
  }

  canvas.onpointerdown = event => {
    if (!event.isPrimary || event.button !== 0) return
    event.preventDefault()
    canvas.setPointerCapture(event.pointerId)
    last = spot(event)
    strokeTo(last)
  }
  canvas.onpointermove = event => {
    if (last && event.isPrimary) strokeTo(spot(event))
  }
  canvas.onpointerup = canvas.onpointercancel = event => {
    if (!last || !event.isPrimary) return
    last = null
    send("bars", { revision: data.revision, bars })
  }
  const sized = new ResizeObserver(draw)
  sized.observe(canvas)
  return { show, close: () => sized.disconnect() }
}
