// A shop's own server: what stands between its pages and Tongbao. `npm install && npm start`, then http://127.0.0.1:8000/
//
// The page chooses what it buys and how it pays. Price, payer and address come from here, never from the page: what it shows of
// them is words.

import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { call, watch } from './tongbao.mjs'

const MERCHANT = process.env.MERCHANT ?? 'acme-mini'
// The merchant's official account: whose pages open inside WeChat, and on whose behalf codes are shown.
const APP_ID = process.env.APP_ID ?? 'wxac3e0000000000a2'
const PORT = Number(process.env.PORT ?? 8000)
const PUBLIC_URL = process.env.PUBLIC_URL ?? `http://127.0.0.1:${PORT}`
const GOODS = new Map([['tea', { fen: 990, words: 'Dragon Well tea' }]])

// What a real shop keeps in its database: its own number of the order, Tongbao's name of it, what is known of it.
const orders = new Map()

const routes = {
  'POST /orders': async (_order, { goods }) => {
    const wanted = GOODS.get(goods)
    if (!wanted) return [404, { error: 'no such goods' }]
    const number = randomUUID()                  // not to be guessed: whoever knows it may see and pay this order
    const created = await call('CreateOrder', {
      request_id: randomUUID(), order_no: number, merchant: MERCHANT, amount_fen: wanted.fen, description: wanted.words,
    })
    orders.set(number, { name: created.name, expires: millis(created.expire_time) })
    return [201, { order: number }]
  },

  'GET /orders/:order': async ({ name }) => [200, told(await call('GetOrder', { name }))],

  // A QR code for a screen. Another call shows another code; Tongbao closes the one before it. `renew` says in how many
  // milliseconds the page asks for one; never, when the code lives as long as its order.
  'POST /orders/:order/native': async ({ name, expires }, _body, ip) => {
    const { native, usable_until } = await pay(name, ip, { native: { app_id: APP_ID, images: ['QR_IMAGE_SVG'] } })
    const until = millis(usable_until)
    return [200, { svg: native.qr_svg, renew: until < expires ? Math.max(until - Date.now() - 30_000, 30_000) : null }]
  },

  // In the WeChat browser. The code is what WeChat's OAuth redirect gave the page; it works once.
  'POST /orders/:order/jsapi': async ({ name }, { code }, ip) => {
    const { jsapi } = await pay(name, ip, { jsapi: { app_id: APP_ID, oauth_code: code } })
    const { app_id, time_stamp, nonce_str, sign_type, pay_sign } = jsapi
    return [200, {
      appId: app_id, timeStamp: time_stamp, nonceStr: nonce_str, package: jsapi.package, signType: sign_type, paySign: pay_sign,
    }]
  },

  // In a browser outside WeChat. `ip` must be the payer's public address, as WeChat sees it too.
  'POST /orders/:order/h5': async ({ name }, _body, ip, number) => {
    const { h5 } = await pay(name, ip, {
      h5: { page: { url: PUBLIC_URL, name: 'Sample shop' }, redirect_url: returnTo(number) },
    })
    return [200, { url: h5.url }]
  },
}

const pay = (name, payer_ip, method) => call('PayOrder', { request_id: randomUUID(), name, payer_ip, ...method })

// Tongbao takes only https here, as WeChat does; a shop on another address leaves the way back out.
const returnTo = (number) => (PUBLIC_URL.startsWith('https:') ? `${PUBLIC_URL}/h5-return.html?order=${number}` : '')

// Who pays is said by WeChat's silent consent, which sends the browser back with `code`. In a real shop's `state` is something
// that its session knows.
const consent = () => {
  const wanted = { appid: APP_ID, redirect_uri: `${PUBLIC_URL}/jsapi.html`, response_type: 'code', scope: 'snsapi_base', state: 'pay' }
  return `https://open.weixin.qq.com/connect/oauth2/authorize?${new URLSearchParams(wanted)}#wechat_redirect`
}

const told = ({ state }) => ({ state: state.replace('STATE_', '').toLowerCase() })
const millis = ({ seconds, nanos }) => Number(seconds) * 1000 + Math.floor(nanos / 1e6)

// Server-sent events: the page hears of every change the moment Tongbao tells it.
function events(request, response, { name }) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const leave = watch(name, (order) => {
    response.write(`data: ${JSON.stringify(told(order))}\n\n`)
    if (order.state !== 'STATE_PENDING') response.end()
  })
  request.on('close', leave)
}

const PAGES = { '/': 'native.html' }
for (const page of ['native.html', 'jsapi.html', 'h5.html', 'h5-return.html', 'shop.css', 'shop.js']) PAGES[`/${page}`] = page
const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css', js: 'text/javascript' }

async function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url, PUBLIC_URL)
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(body))
  }
  const page = request.method === 'GET' && PAGES[pathname]
  if (page === 'jsapi.html' && !searchParams.has('code')) return response.writeHead(302, { location: consent() }).end()
  if (page) {
    response.writeHead(200, { 'content-type': TYPES[page.split('.').pop()] })
    return response.end(await readFile(new URL(`pages/${page}`, import.meta.url)))
  }
  const [, top, number, last] = pathname.split('/')
  const order = orders.get(number)
  if (top !== 'orders' || (number && !order)) return answer(404, { error: 'no such page or order' })
  if (request.method === 'GET' && last === 'events') return events(request, response, order)
  const route = routes[`${request.method} /orders${number ? '/:order' : ''}${last ? `/${last}` : ''}`]
  if (!route) return answer(404, { error: 'no such page' })
  try {
    answer(...(await route(order, await body(request), payerOf(request), number)))
  } catch (error) {
    console.error(request.method, pathname, error.code, error.details ?? error.message)
    answer(502, { error: 'The payment could not be started, please try again' })
  }
}

// Behind a proxy of your own: the address that it saw, and nobody else's word. PAYER_IP stands in for it at a desk.
const payerOf = (request) => process.env.PAYER_IP ?? request.socket.remoteAddress.replace(/^::ffff:/, '')

async function body(request) {
  let text = ''
  for await (const piece of request) {
    text += piece
    if (text.length > 4096) throw new Error('the body is too large')
  }
  return text ? JSON.parse(text) : {}
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error)
    if (!response.headersSent) response.writeHead(500)
    response.end()
  })
})
server.listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`))
