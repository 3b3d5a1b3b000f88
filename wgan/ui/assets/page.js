// What a page does besides showing its parts: it asks to be drawn again when what it is made of has
// changed, shows which term of the equation slow motion computes, and says when the server is away.

const AGAIN = 1_000 // milliseconds until it may ask once more for the same
const CALM = 250 // a click of one's own has the page drawn anyway: wait for that first
const SPREAD = 500 // so long at most a page waits besides, so that a class does not ask at once

export function pageOf(root, stream) {
  let changed = false // what the page is made of, since it was drawn
  let ask = () => {}
  let channel = null // of this page as it was drawn
  let end = null
  let timer = null
  let asked = -AGAIN

  const plan = () => {
    clearTimeout(timer)
    if (!changed) return
    const wait = Math.max(CALM + Math.random() * SPREAD, asked + AGAIN - performance.now())
    timer = setTimeout(() => {
      if (!changed || !root.isConnected) return
      asked = performance.now()
      try {
        ask(asked)
      } catch {
        // Streamlit's own connection is away; it comes back by itself.
      }
      plan()
    }, wait)
  }

  const unwatch = stream.watch(connected => {
    root.innerHTML = connected
      ? ""
      : '<p class="wgan-away" role="status">The connection to the server is lost; trying again.</p>'
  })

  return {
    update(data, trigger) {
      ask = trigger
      if (data.channel === channel) return
      end?.()
      channel = data.channel
      changed = false
      plan()
      const mine = channel
      end = stream.subscribe(channel, state => {
        if (channel !== mine) return
        changed = state.changed
        plan()
      })
    },
    close() {
      clearTimeout(timer)
      unwatch()
      end?.()
    },
  }
}
