// A part of a page: blocks that come with it or over the stream, drawn into the same nodes as long
// as their kinds stay. Streamlit calls `show` again at every change, with the same parentElement.

import { pageOf } from "./page.js"
import { drawer as figures } from "./figures.js"
import { drawer as pixels } from "./pixels.js"
import { stream } from "./stream.js"

const parts = new WeakMap() // parentElement -> what is drawn there

export function show({ data, parentElement, setTriggerValue }, base) {
  const root = parentElement.querySelector(".wgan-part")
  let part = parts.get(parentElement)
  if (!part) parts.set(parentElement, (part = begin(root, base, parentElement)))
  if (data.page) part.page(data, value => setTriggerValue("changed", value))
  else part.update(data)
  return () => {
    // Streamlit also cleans up after calls that a newer one has overtaken, while the node is still
    // on the page: only a node that has left it is let go.
    setTimeout(() => {
      if (parentElement.isConnected || parts.get(parentElement) !== part) return
      parts.delete(parentElement)
      part.close()
    })
  }
}

function begin(root, base, parent) {
  const drawn = new Blocks(root, { base, parent })
  let channel = null
  let end = null
  let page = null
  return {
    update(data) {
      root.style.setProperty("--wgan-height", `${data.height ?? 0}px`)
      root.classList.toggle("wgan-small", Boolean(data.small))
      if (data.blocks) drawn.show(data.blocks)
      if ((data.channel ?? null) === channel) return
      end?.() // what was shown stays until the new channel's first state
      channel = data.channel ?? null
      if (channel === null) return
      const mine = channel
      end = stream(base).subscribe(channel, ({ blocks }) => channel === mine && drawn.show(blocks))
    },
    page(data, ask) {
      page ??= pageOf(root, stream(base))
      page.update(data, ask)
    },
    close() {
      end?.()
      page?.close()
      drawn.close()
    },
  }
}

const KINDS = { html: markup, figures, pixels, columns }

// A list of blocks in a node.
export class Blocks {
  constructor(root, context) {
    this.root = root
    this.context = context
    this.shown = [] // { kind, node, drawer }
  }

  show(blocks) {
    blocks.forEach((block, i) => {
      const kind = Object.keys(KINDS).find(name => name in block)
      if (this.shown[i]?.kind !== kind) this.mount(i, kind)
      this.shown[i].drawer.show(block)
    })
    while (this.shown.length > blocks.length) this.remove(this.shown.pop())
  }

  mount(i, kind) {
    const node = document.createElement("div")
    node.className = `wgan-${kind}`
    const old = this.shown[i]
    if (old) {
      old.node.replaceWith(node)
      old.drawer.close?.()
    } else this.root.append(node)
    this.shown[i] = { kind, node, drawer: KINDS[kind](node, this.context) }
  }

  remove({ node, drawer }) {
    drawer.close?.()
    node.remove()
  }

  close() {
    for (const block of this.shown.splice(0)) this.remove(block)
  }
}

function markup(node) {
  let now = null
  return {
    show({ html }) {
      if (html === now) return
      now = html
      node.innerHTML = html
      for (const code of node.querySelectorAll("[data-copy]")) withCopy(code)
    },
  }
}

function withCopy(code) {
  const text = code.textContent
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = "Copy"
  button.onclick = async () => {
    await navigator.clipboard.writeText(text)
    button.textContent = "Copied"
  }
  code.append(button)
}

function columns(node, context) {
  let lists = []
  return {
    show({ columns, widths }) {
      node.style.setProperty("--wgan-columns", widths.map(width => `${width}fr`).join(" "))
      while (lists.length < columns.length) {
        const cell = document.createElement("div")
        node.append(cell)
        lists.push(new Blocks(cell, context))
      }
      columns.forEach((blocks, i) => lists[i].show(blocks))
    },
    close: () => lists.forEach(list => list.close()),
  }
}
