// What every page does: it asks the shop's own server, says how its order stands, and follows it.

const TOLD = { paid: 'Paid. Thank you!', closed: 'This order is closed. Please order again.' }

/** Says how it stands; `paid` and `closed` have words of their own. */
export function show(state, words = TOLD[state]) {
  document.body.dataset.state = state
  document.getElementById('say').textContent = words
}

/** Asks our server. Rejects with words for the payer. */
export async function post(path, body = {}) {
  const answer = await fetch(path, { method: 'POST', body: JSON.stringify(body) }).catch(() => null)
  if (!answer) throw new Error('The shop cannot be reached, please try again')
  const told = await answer.json()
  if (!answer.ok) throw new Error(told.error)
  return told
}

/** Follows an order until nobody can pay it any more, and shows that. The browser opens a broken stream again by itself. */
export function follow(order, ended = () => {}) {
  const stream = new EventSource(`/orders/${encodeURIComponent(order)}/events`)
  stream.onmessage = ({ data }) => {
    const { state } = JSON.parse(data)
    if (state === 'pending') return
    stream.close()
    ended(state)
    show(state === 'closed' ? 'closed' : 'paid')      // of what is given back later, this page says nothing
  }
}
