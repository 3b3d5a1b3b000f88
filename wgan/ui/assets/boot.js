// The component's own script: it brings in the modules of the live view, once a tab.
const pages = /\/(?:lab|home|critic|compare|gallery|duel|guide|theory|learn)?\/?$/

export default function (args) {
  const base = new URL(location.pathname.replace(pages, "") + "/", location.origin)
  const [data] = args.data
  const assets = new URL(`assets/live/${data.version}/`, base)
  const closing = import(new URL("part.js", assets)).then(part => part.show({ ...args, data }, base))
  return () => closing.then(close => close?.())
}
