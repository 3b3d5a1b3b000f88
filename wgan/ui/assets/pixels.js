// A grid of images, drawn on a canvas from the pixels themselves: crisp where they are small, smooth
// where they are not, with gaps between them.

const GAP = 2 // pixels between cells of the least size
const CELL = 48 // pixels of the canvas that a cell has at least

export function drawer(node) {
  const canvas = document.createElement("canvas")
  canvas.setAttribute("role", "img")
  const note = document.createElement("p")
  note.className = "wgan-caption"
  node.append(canvas, note)
  let latest = 0
  return {
    async show({ pixels }) {
      const turn = ++latest
      const sheet = pixels.raw ? fromRaw(pixels) : await fromWebp(pixels)
      if (turn !== latest) return // a newer one is being drawn
      draw(canvas, pixels, sheet)
      canvas.setAttribute("aria-label", pixels.alt)
      note.innerHTML = pixels.note
      note.hidden = !pixels.note
    },
  }
}

// The images one below the other.
function fromRaw({ raw, count, height, width, channels }) {
  const bytes = Uint8Array.from(atob(raw), c => c.charCodeAt(0))
  const rgba = new Uint8ClampedArray(count * height * width * 4)
  for (let i = 0; i < count * height * width; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = bytes[channels * i + (channels === 3 ? c : 0)]
    rgba[4 * i + 3] = 255
  }
  const sheet = new OffscreenCanvas(width, count * height)
  sheet.getContext("2d").putImageData(new ImageData(rgba, width, count * height), 0, 0)
  return { picture: sheet, place: i => [0, i * height] }
}

// The grid without gaps.
async function fromWebp({ webp, width, height, columns }) {
  const bytes = Uint8Array.from(atob(webp), c => c.charCodeAt(0))
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/webp" }))
  return { picture, place: i => [(i % columns) * width, Math.floor(i / columns) * height] }
}

function draw(canvas, { count, height, width, columns, rows, smooth }, { picture, place }) {
  const scale = Math.max(1, Math.ceil(CELL / width))
  const wide = width * scale
  const high = height * scale
  const gap = GAP * Math.max(1, Math.round(scale / 4))
  // Half a gap on each side: grids of as many rows have one height beside each other.
  const size = [columns * (wide + gap), rows * (high + gap)]
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size
  const context = canvas.getContext("2d")
  context.clearRect(0, 0, ...size)
  context.imageSmoothingEnabled = smooth
  canvas.style.imageRendering = smooth ? "auto" : "pixelated"
  for (let i = 0; i < count; i++) {
    const x = (i % columns) * (wide + gap) + gap / 2
    const y = Math.floor(i / columns) * (high + gap) + gap / 2
    context.drawImage(picture, ...place(i), width, height, x, y, wide, high)
  }
}
