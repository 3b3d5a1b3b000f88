// What a page does besides showing its parts: it asks to be drawn again when what it is made of has
// changed, shows which term of the equation slow motion computes, and says when the server is away.

const AGAIN = 1_000 // milliseconds until it may ask once more for the same
const CALM = 250 // a click of one's own has the page drawn anyway: wait for that first

export function pageOf(root, stream) {
  let wanted = null // as the server says
  let drawn = null // as this page was drawn
  let ask = () => {}
  let channel = null
  let end = null
  let timer = null
  let asked = 0

  const compare = () => {
    clearTimeout(timer)
    if (wanted === null || wanted === drawn) return
    const spread = stream.spread ?? 0
    const wait = Math.max(CALM + Math.random() * spread, asked + AGAIN - performance.now())
    timer = setTimeout(() => {
      if (wanted === drawn || !root.isConnected) return
      asked = performance.now()
      try {
        ask(wanted)
      } catch {
        // Streamlit's own connection is away; it comes back by itself.
      }
      timer = setTimeout(compare, AGAIN)
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
      drawn = data.page
      if (data.channel !== channel) {
        end?.()
        channel = data.channel
        wanted = null
        const mine = channel
        end = stream.subscribe(channel, ({ made, spread }) => {
          if (channel !== mine) return
          wanted = made
          stream.spread = spread
          compare()
        })
      } else compare()
    },
    close() {
      clearTimeout(timer)
      unwatch()
      end?.()
    },
  }
}
