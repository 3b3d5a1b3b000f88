// The one connection of a tab to the server's live stream. Parts subscribe to channels; each channel's
// newest state is kept, so that a part which is drawn again shows it at once.

const SILENCE = 12_000 // milliseconds without a word from the server: the connection is lost
const SOON = 500 // milliseconds until the first new try; each later one waits twice as long
const LATE = 8_000
const WITHOUT_WEBSOCKET = 3 // tries that never opened: a proxy may forbid a second WebSocket

export class Stream {
  constructor(base) {
    this.url = new URL("live", base)
    this.listeners = new Map() // channel -> the functions that show it
    this.states = new Map() // channel -> its newest state
    this.watchers = new Set() // are told whether the connection stands
    this.connected = null // not known yet
    this.failures = 0
    this.everOpened = false
    this.queue = Promise.resolve()
    document.addEventListener("visibilitychange", () => this.changed())
    addEventListener("pageshow", () => this.changed())
    addEventListener("online", () => this.retry())
    setInterval(() => this.check(), 2_000)
  }

  // Calls `listener(state)` with each new state of a channel; returns what ends it.
  subscribe(channel, listener) {
    const listeners = this.listeners.get(channel) ?? new Set()
    this.listeners.set(channel, listeners.add(listener))
    if (this.states.has(channel)) listener(this.states.get(channel))
    this.changed()
    return () => {
      listeners.delete(listener)
      if (!listeners.size && this.listeners.get(channel) === listeners) {
        this.listeners.delete(channel)
        this.changed()
      }
    }
  }

  watch(watcher) {
    this.watchers.add(watcher)
    if (this.connected !== null) watcher(this.connected)
    return () => this.watchers.delete(watcher)
  }

  // Many parts come and go at once: one subscription for all of them.
  changed() {
    this.planned ??= setTimeout(() => {
      this.planned = null
      this.update()
    }, 20)
  }

  wanted() {
    return document.hidden ? [] : [...this.listeners.keys()].sort() // a hidden tab costs nothing
  }

  update() {
    const channels = this.wanted()
    if (!channels.length) return this.rest()
    if (!this.connection) return this.open()
    if (JSON.stringify(channels) === this.sent) return
    for (const name of this.states.keys()) if (!channels.includes(name)) this.states.delete(name)
    this.connection.send(channels)
  }

  rest() {
    this.resting ??= setTimeout(() => {
      this.resting = null
      if (this.wanted().length) this.update()
      else this.drop()
    }, 1_000)
  }

  open() {
    clearTimeout(this.retrying)
    this.retrying = null
    const kind = !this.everOpened && this.failures >= WITHOUT_WEBSOCKET ? events : socket
    this.heard = performance.now()
    this.sent = null
    const connection = kind(this.url, {
      opened: () => {
        if (this.connection === connection) this.update()
      },
      message: bytes => {
        if (this.connection === connection) this.take(bytes)
      },
      closed: () => {
        if (this.connection === connection) this.lose()
      },
    })
    this.connection = connection
    const send = connection.send
    connection.send = channels => {
      if (send(channels)) this.sent = JSON.stringify(channels)
    }
    this.update()
  }

  take(bytes) {
    this.heard = performance.now()
    this.failures = 0
    this.everOpened = true
    this.tell(true)
    // One after the other: unpacking takes its time, and an older state must not come last.
    this.queue = this.queue.then(() => this.show(bytes)).catch(error => console.error(error))
  }

  async show(bytes) {
    for (const change of await unpack(bytes)) {
      const { channel } = change
      // A part that is drawn anew listens to nothing for a moment: the next patch needs this state.
      if (!this.listeners.has(channel) && !this.states.has(channel)) continue
      try {
        const state = patched(this.states.get(channel), change)
        this.states.set(channel, state)
        for (const listener of this.listeners.get(channel) ?? []) listener(state)
      } catch (error) {
        // Without a state: a patch came late, for a channel that was left meanwhile and is asked
        // for again; the whole follows.
        if (this.states.has(channel)) console.error(error)
      }
    }
  }

  check() {
    if (this.connection && performance.now() - this.heard > SILENCE) this.lose()
  }

  lose() {
    this.drop()
    this.failures += 1
    this.tell(false)
    const wait = Math.min(LATE, SOON * 2 ** (this.failures - 1)) * (0.75 + Math.random() / 2)
    this.retrying ??= setTimeout(() => this.retry(), wait)
  }

  retry() {
    clearTimeout(this.retrying)
    this.retrying = null
    this.update()
  }

  drop() {
    const connection = this.connection
    this.connection = null
    connection?.close()
  }

  tell(connected) {
    if (this.connected === connected) return
    this.connected = connected
    for (const watcher of this.watchers) watcher(connected)
  }
}

function socket(url, { opened, message, closed }) {
  const address = new URL(url)
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:"
  const socket = new WebSocket(address)
  socket.binaryType = "arraybuffer"
  socket.onopen = opened
  socket.onmessage = ({ data }) => message(new Uint8Array(data))
  socket.onclose = closed
  return {
    send(channels) {
      if (socket.readyState !== WebSocket.OPEN) return false
      socket.send(JSON.stringify({ channels }))
      return true
    },
    close: () => socket.close(),
  }
}

// Server-sent events cannot be spoken to: another subscription is another connection.
function events(url, { message, closed }) {
  let source = null
  return {
    send(channels) {
      source?.close()
      const address = new URL(url)
      address.searchParams.set("subscription", JSON.stringify({ channels }))
      source = new EventSource(address)
      source.onmessage = ({ data }) => message(Uint8Array.from(atob(data), c => c.charCodeAt(0)))
      source.onerror = closed
      return true
    },
    close: () => source?.close(),
  }
}

// The parts of a message: each a length and as many bytes of gzipped JSON.
export async function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts = []
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true)
    parts.push(inflate(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Promise.all(parts)
}

// What a change makes of the state before: arrays of which only the middle is new are put together
// again, see `wgan/server/patch.py`.
export function patched(old, change) {
  if (Array.isArray(change)) return change.map((value, i) => patched(old?.[i], value))
  if (change === null || typeof change !== "object") return change
  if (!change.patch) {
    return Object.fromEntries(
      Object.entries(change).map(([name, value]) => [name, patched(old?.[name], value)]),
    )
  }
  const { patch, ...rest } = change
  const [head, tail, middle] = patch
  const whole = atob(old.bdata)
  const joined = whole.slice(0, head) + atob(middle) + whole.slice(whole.length - tail)
  return { ...rest, bdata: btoa(joined) }
}

function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  return new Response(stream).json()
}

// The stream of this tab.
export function stream(base) {
  return (window.__wganStream ??= new Stream(base))
}
