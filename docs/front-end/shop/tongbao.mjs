// The way to Tongbao: one gRPC client, and the two rules that every caller follows.
//
// 1. A wish has one request_id. Whoever does not know whether a call arrived sends the same call again, with the same id.
// 2. What a page reports is a hint. An order is paid when Tongbao says so.

import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

const protos = process.env.PROTO_DIR ?? fileURLToPath(new URL('../../../proto/proto', import.meta.url))
const definition = loader.loadSync('tongbao/order/v1/order.proto', {
  includeDirs: [protos], keepCase: true, enums: String, longs: Number, bytes: Buffer, defaults: true, oneofs: true,
})
const { OrderService } = grpc.loadPackageDefinition(definition).tongbao.order.v1

const client = new OrderService(process.env.ORDER_URL ?? '127.0.0.1:50051', grpc.credentials.createInsecure())
const credentials = new grpc.Metadata()
credentials.set('authorization', `Bearer ${process.env.ORDER_TOKEN ?? 'shop-development-token'}`)

const AGAIN = [grpc.status.UNAVAILABLE, grpc.status.ABORTED, grpc.status.DEADLINE_EXCEEDED]

/** Calls once, and while nobody knows what came of it, again with the same content, for about half a minute. */
export async function call(method, request) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(method, request)
    } catch (error) {
      if (!AGAIN.includes(error.code) || attempt === 6) throw error
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** (attempt - 1) * (0.5 + Math.random())))
    }
  }
}

function once(method, request) {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000
    client[method](request, credentials, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

/** Follows an order until nobody can pay it any more; `seen` is called with it now and at each change. Returns what ends it. */
export function watch(name, seen) {
  let stream, later, pending = true, gone = false
  const follow = () => {
    stream = client.WatchOrder({ name }, credentials)
    stream.on('data', (order) => {
      pending = order.state === 'STATE_PENDING'
      seen(order)
    })
    // The stream ends after ten minutes, and with whatever breaks: while the order is pending it is followed again. `status` comes
    // once for each stream; a broken one has both `error` and `end`.
    stream.on('error', () => {})
    stream.on('status', () => { if (!gone) later = setTimeout(() => { if (pending) follow() }, 1000) })
  }
  follow()
  return () => { gone = true; clearTimeout(later); stream.cancel() }
}
