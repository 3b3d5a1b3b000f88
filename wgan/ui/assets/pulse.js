// A page redraws itself by timers that the browser starts anew each time the whole page is drawn. On
// a busy server the message that starts one can be lost, and the page would stand still until it is
// loaded again. So a page on which nothing has changed for long asks to be drawn once more.
const LONG = 15_000 // milliseconds
const pulses = new WeakMap() // parentElement -> its pulse

export default function ({ parentElement, setTriggerValue }) {
  let pulse = pulses.get(parentElement)
  if (!pulse) pulses.set(parentElement, (pulse = begin(parentElement)))
  pulse.ask = () => setTriggerValue("still", true)
}

function begin(parent) {
  const pulse = { ask: null }
  let changed = performance.now()
  const observer = new MutationObserver(() => (changed = performance.now()))
  const parts = { childList: true, subtree: true, characterData: true, attributes: true }
  observer.observe(document.body, parts)
  const timer = setInterval(() => {
    if (!parent.isConnected) {
      observer.disconnect()
      clearInterval(timer)
    } else if (!document.hidden && performance.now() - changed > LONG) {
      changed = performance.now()
      try {
        pulse.ask()
      } catch {
        // The server is away; Streamlit connects again and says so.
      }
    }
  }, 1000)
  return pulse
}
