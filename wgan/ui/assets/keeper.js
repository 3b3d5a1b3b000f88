// Keeps the secrets of this tab's own runs while the tab is open, and hands back those that its
// session on the server has lost: the page was loaded again, or the server began anew. The name of
// the browser is a cookie, which comes to the server with the next connection.

const handed = new Set() // a secret that is not taken is not handed back again and again
const name = run => `wgan-owner-${run}`

export default function ({ data, setTriggerValue }) {
  const [kept] = data
  nameBrowser(kept)
  try {
    for (const [run, secret] of Object.entries(kept.owned)) {
      sessionStorage.setItem(name(run), secret)
      handed.delete(run)
    }
    const found = {}
    for (const run of kept.missed) {
      const secret = sessionStorage.getItem(name(run))
      if (!secret || handed.has(run)) continue
      found[run] = secret
      handed.add(run)
    }
    if (Object.keys(found).length) setTriggerValue("found", found)
  } catch {
    // No storage is allowed here: a reload needs the owner's link.
  }
}

function nameBrowser({ cookie, visitor }) {
  if (document.cookie.split("; ").some(one => one.startsWith(`${cookie}=`))) return
  // In a frame of another site, as on a Space, only a cookie of that place's own is kept.
  const framed = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax"
  document.cookie = `${cookie}=${visitor}; path=/; max-age=86400; ${framed}`
}
