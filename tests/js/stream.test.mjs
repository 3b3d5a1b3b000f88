// The browser's half of the stream, without a browser: a clock, a document and sockets of our own.

import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"
import { gzipSync } from "node:zlib"

let sockets = []
let sources = []
const on = {}

class FakeSocket {
  static OPEN = 1
  constructor(url) {
    this.url = String(url)
    this.readyState = 0
    this.sent = []
    sockets.push(this)
  }
  send(text) {
    this.sent.push(JSON.parse(text).channels)
  }
  open() {
    this.readyState = 1
    this.onopen()
  }
  say(...parts) {
    this.onmessage({ data: packed(...parts).buffer })
  }
  fail() {
    this.readyState = 3
    this.onclose()
  }
  close() {
    this.closed = true
    this.readyState = 3
  }
}

class FakeSource {
  constructor(url) {
    this.url = new URL(url)
    sources.push(this)
  }
  close() {
    this.closed = true
  }
}

function packed(...parts) {
  const chunks = parts.flatMap(part => {
    const body = gzipSync(JSON.stringify(part))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(body.length)
    return [length, body]
  })
  return new Uint8Array(Buffer.concat(chunks))
}

const array = text => ({ dtype: "u1", bdata: btoa(text) })

Object.assign(globalThis, {
  window: globalThis,
  WebSocket: FakeSocket,
  EventSource: FakeSource,
  document: { hidden: false, addEventListener: (name, call) => (on[name] = call) },
  addEventListener: (name, call) => (on[name] = call),
})

let now = 0
let timers = [] // { at, call, every }
const later = (call, wait, every = 0) => {
  const timer = { at: now + wait, call, every }
  timers.push(timer)
  return timer
}
const tick = milliseconds => {
  const end = now + milliseconds
  for (;;) {
    const [next] = timers.filter(timer => timer.at <= end).sort((a, b) => a.at - b.at)
    if (!next) break
    now = next.at
    if (next.every) next.at += next.every
    else timers.splice(timers.indexOf(next), 1)
    next.call()
  }
  now = end
}
globalThis.performance.now = () => now
globalThis.setTimeout = (call, wait) => later(call, wait)
globalThis.setInterval = (call, wait) => later(call, wait, wait)
globalThis.clearTimeout = timer => (timers = timers.filter(other => other !== timer))
const { Stream, patched, unpack } = await import("../../wgan/ui/assets/stream.js")

// Until what was said has been unpacked and shown, which needs no clock.
const shown = stream => stream.queue
let stream

beforeEach(() => {
  timers = [] // and with them the streams of other tests
  sockets = []
  sources = []
  document.hidden = false
  mock.method(Math, "random", () => 0.5)
  mock.method(console, "error", () => {})
  stream = new Stream(new URL("http://lab.example/base/"))
})

function listen(channel) {
  const states = []
  const end = stream.subscribe(channel, state => states.push(state))
  return { states, end }
}

function opened() {
  tick(50)
  sockets.at(-1).open()
  return sockets.at(-1)
}

test("many parts are one connection and one subscription", () => {
  for (const name of ["c", "a", "b"]) listen(name)
  const socket = opened()
  assert.equal(sockets.length, 1)
  assert.equal(socket.url, "ws://lab.example/base/live")
  assert.deepEqual(socket.sent, [["a", "b", "c"]])
})

test("what comes and goes within a moment is not asked for again", () => {
  const first = listen("a")
  const socket = opened()
  first.end()
  listen("a")
  tick(100)
  assert.deepEqual(socket.sent, [["a"]])
  listen("b")
  listen("c")
  tick(100)
  assert.deepEqual(socket.sent, [["a"], ["a", "b", "c"]])
})

test("over HTTPS the socket is secure", () => {
  stream = new Stream(new URL("https://lab.example/"))
  listen("a")
  tick(50)
  assert.equal(sockets[0].url, "wss://lab.example/live")
})

test("who begins to listen later sees the newest state at once", async () => {
  const one = listen("a")
  opened().say({ channel: "a", number: 1, x: 1 })
  await shown(stream)
  assert.deepEqual(one.states, [{ channel: "a", number: 1, x: 1 }])
  assert.deepEqual(listen("a").states, one.states)
})

test("states are shown in the order in which they came", async () => {
  const { states } = listen("a")
  const socket = opened()
  const large = "x".repeat(500_000)
  for (let n = 1; n <= 20; n++) socket.say({ channel: "a", number: n, x: n % 2 ? large : "" })
  await shown(stream)
  assert.deepEqual(states.map(state => state.number), Array.from({ length: 20 }, (_, i) => i + 1))
})

test("a listener that fails keeps nothing from the others", async () => {
  stream.subscribe("a", () => {
    throw new Error("ours")
  })
  const { states } = listen("b")
  opened().say({ channel: "a", number: 1 }, { channel: "b", number: 1 })
  await shown(stream)
  assert.equal(states.length, 1)
})

test("patches join what is there", async () => {
  const { states } = listen("a")
  const socket = opened()
  socket.say({ channel: "a", number: 1, blocks: [{ y: array("abXde"), z: 1 }] })
  socket.say({
    channel: "a",
    number: 2,
    blocks: [{ y: { dtype: "u1", patch: [2, 2, btoa("YY")] }, z: 2 }],
  })
  await shown(stream)
  assert.deepEqual(states[1].blocks, [{ y: array("abYYde"), z: 2 }])
  assert.deepEqual(states[0].blocks, [{ y: array("abXde"), z: 1 }])
})

test("a part that is drawn anew misses no patch", async () => {
  const before = listen("a")
  const socket = opened()
  socket.say({ channel: "a", number: 1, y: array("a") })
  await shown(stream)
  before.end()
  socket.say({ channel: "a", number: 2, y: { dtype: "u1", patch: [1, 0, btoa("b")] } })
  await shown(stream)
  const after = listen("a")
  tick(100)
  socket.say({ channel: "a", number: 3, y: { dtype: "u1", patch: [2, 0, btoa("c")] } })
  await shown(stream)
  assert.deepEqual(after.states.at(-1).y, array("abc"))
  assert.deepEqual(socket.sent, [["a"]])
})

test("a late patch of a channel that was left keeps nothing from the others", async () => {
  const { end } = listen("a")
  const other = listen("b")
  const socket = opened()
  socket.say({ channel: "a", number: 1, y: array("a") })
  await shown(stream)
  end()
  tick(100)
  const again = listen("a")
  tick(100)
  assert.deepEqual(socket.sent, [["a", "b"], ["b"], ["a", "b"]])
  const late = { channel: "a", number: 2, y: { dtype: "u1", patch: [1, 0, btoa("b")] } }
  socket.say(late, { channel: "b", number: 1 })
  await shown(stream)
  assert.deepEqual(again.states, [])
  assert.equal(other.states.length, 1)
  socket.say({ channel: "a", number: 3, y: array("whole") })
  await shown(stream)
  assert.deepEqual(again.states.at(-1).y, array("whole"))
})

test("after a cut it tries again, each time after a longer wait, and says so", async () => {
  const told = []
  stream.watch(connected => told.push(connected))
  listen("a")
  opened().say({ channel: "a", number: 1 })
  await shown(stream)
  const waits = []
  for (let n = 0; n < 7; n++) {
    sockets.at(-1).fail()
    const before = [now, sockets.length]
    while (sockets.length === before[1]) tick(50)
    waits.push(now - before[0])
  }
  for (let n = 1; n < waits.length; n++) assert.ok(waits[n] >= waits[n - 1], waits.join())
  assert.ok(waits[0] < 1_000 && waits.at(-1) >= 4 * waits[0] && waits.at(-1) <= 10_000, waits.join())
  assert.deepEqual(told, [true, false])
  sockets.at(-1).open()
  assert.deepEqual(sockets.at(-1).sent, [["a"]])
  sockets.at(-1).say({ channel: "a", number: 1 })
  await shown(stream)
  assert.deepEqual(told, [true, false, true])
})

test("a server that says nothing is a lost one", async () => {
  const told = []
  stream.watch(connected => told.push(connected))
  listen("a")
  const socket = opened()
  for (let n = 0; n < 5; n++) {
    socket.say()
    tick(5_000)
  }
  await shown(stream)
  assert.deepEqual(told, [true])
  tick(20_000)
  assert.ok(told.includes(false))
  assert.ok(socket.closed)
  assert.ok(sockets.length > 1)
})

test("a network that is back is tried at once", () => {
  listen("a")
  opened().fail()
  on.online()
  assert.equal(sockets.length, 2)
})

test("a hidden tab costs nothing, and goes on when it is seen", () => {
  listen("a")
  const socket = opened()
  document.hidden = true
  on.visibilitychange()
  tick(3_000)
  assert.ok(socket.closed)
  tick(60_000)
  assert.equal(sockets.length, 1)
  document.hidden = false
  on.visibilitychange()
  opened()
  assert.equal(sockets.length, 2)
  assert.deepEqual(sockets[1].sent, [["a"]])
})

test("where no second WebSocket comes through, events carry the same", async () => {
  const { states } = listen("a")
  tick(50)
  for (let n = 0; n < 10 && !sources.length; n++) {
    sockets.at(-1).fail()
    tick(10_000)
  }
  const asked = () => JSON.parse(sources.at(-1).url.searchParams.get("subscription")).channels
  assert.deepEqual(asked(), ["a"])
  const bytes = packed({ channel: "a", number: 1, x: "ü" })
  sources.at(-1).onmessage({ data: Buffer.from(bytes).toString("base64") })
  await shown(stream)
  assert.deepEqual(states, [{ channel: "a", number: 1, x: "ü" }])
  listen("b")
  tick(100)
  assert.deepEqual(asked(), ["a", "b"])
  assert.ok(sources.at(-2).closed)
})

test("a socket that has carried something is no reason for events", async () => {
  listen("a")
  opened().say({ channel: "a", number: 1 })
  await shown(stream)
  for (let n = 0; n < 10; n++) {
    sockets.at(-1).fail()
    tick(20_000)
  }
  assert.equal(sources.length, 0)
})

test("an old connection has no say any more", async () => {
  const { states } = listen("a")
  const old = opened()
  old.fail()
  tick(2_000)
  old.say({ channel: "a", number: 7 })
  old.onclose()
  await shown(stream)
  assert.deepEqual(states, [])
  assert.equal(sockets.length, 2)
})

test("a message is unpacked part by part", async () => {
  assert.deepEqual(await unpack(new Uint8Array()), [])
  assert.deepEqual(await unpack(packed({ a: 1 }, { b: "🙂" })), [{ a: 1 }, { b: "🙂" }])
})

test("what is no patch is taken as it is", () => {
  assert.deepEqual(patched({ a: 1, b: [1, 2] }, { a: null, b: [3] }), { a: null, b: [3] })
  assert.deepEqual(patched(undefined, { y: array("a") }), { y: array("a") })
})
