"""A second client of somebody else, wechatpy, against a sandbox of its own.

The first one makes notices for our ingress. This one reads the sandbox's: it is the merchant whose server WeChat calls.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import traceback
import urllib.request

from wechatpy.exceptions import InvalidSignatureException, WeChatPayException
from wechatpy.pay import WeChatPay

DEV = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "dev"
MERCHANTS = DEV / "merchants"

# How long anything may take before it counts as broken: far longer than the slowest machine needs.
PATIENCE_S = 60


def until(what, look):
    """Looks until there is something."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if deadline < time.monotonic():
            raise AssertionError(f"it never happened that {what}")
        time.sleep(0.05)


class Sandbox:
    """The sandbox as a process on free ports, ended by its id."""

    def __init__(self, program, folder):
        self.log = pathlib.Path(folder) / "sandbox.log"
        environment = {
            "SANDBOX_LISTEN": "127.0.0.1:0",
            "SANDBOX_TLS_LISTEN": "127.0.0.1:0",
            "SANDBOX_TLS_DIR": str(DEV / "sandbox"),
            "MERCHANTS_DIR": str(MERCHANTS),
        }
        with self.log.open("w") as lines:
            self.process = subprocess.Popen([program], env=environment, stdout=lines, stderr=lines)
        try:
            self.control = "http://" + self._announced("http")
            self.wechat = "https://" + self._announced("https") + "/"
        except BaseException:
            self.end()
            raise

    def _announced(self, what):
        def look():
            text = self.log.read_text()
            assert self.process.poll() is None, f"the sandbox ended; it said:\n{text}"
            found = re.search(rf"\b{what} listening on ([0-9.]+:[0-9]+)", text)
            return found and found[1]

        return until(f"the sandbox listens for {what}", look)

    def command(self, path, **body):
        request = urllib.request.Request(f"{self.control}/_sandbox/{path}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Receiver:
    """The merchant's server: keeps what WeChat posts, and says that it was taken."""

    def __init__(self):
        self.heard = {}
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                heard[self.path] = self.rfile.read(int(self.headers["content-length"])).decode()
                answer = b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>"
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path):
        return until(f"WeChat posts to {path}", lambda: self.heard.get(path))


class Table:
    def __init__(self):
        self.failed = self.count = 0

    def check(self, name, run):
        self.count += 1
        try:
            run()
            print(f"ok      {name}")
        except Exception as error:
            self.failed += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAILED  {name}\n        {type(error).__name__} in {place.name}: {error}")


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(call):
    """The refusal of a call that must not go through."""
    try:
        call()
    except WeChatPayException as refusal:
        return refusal
    raise AssertionError("the call went through")


def sales(sandbox, receiver, table):
    # This client verifies notices with MD5 alone, so it is the merchant with MD5.
    file = tomllib.loads((MERCHANTS / "acme-shop.toml").read_text())
    app_id, key = file["apps"][0]["app_id"], (MERCHANTS / file["api_key_file"]).read_text().strip()

    class Client(WeChatPay):
        API_BASE_URL = sandbox.wechat

    certificate = {name: str(MERCHANTS / file[f"client_{name}_file"]) for name in ("cert", "key")}
    client = Client(app_id, key, file["mch_id"], mch_cert=certificate["cert"], mch_key=certificate["key"], timeout=PATIENCE_S)
    without_certificate = Client(app_id, key, file["mch_id"], timeout=PATIENCE_S)
    forger = Client(app_id, "x" * 32, file["mch_id"], timeout=PATIENCE_S)
    paid, unpaid, refund = "second-paid-1", "second-unpaid-1", "second-refund-1"

    def order(with_client, number):
        return with_client.order.create(
            "JSAPI", "龙井茶 & 新茶", 990, f"{receiver.url}/payment", "203.0.113.7", "o-second", number, attach="a=b <c>"
        )

    def created():
        for number in (paid, unpaid):
            answer = order(client, number)
            assert client.check_signature(answer), "the answer is not signed by the account"
            assert answer["prepay_id"].startswith("wx"), answer["prepay_id"]

    def forged():
        equal(refused(lambda: order(forger, "second-forged-1")).return_code, "FAIL")

    def noticed():
        sandbox.command(f"payments/{paid}/pay")
        notice = client.parse_payment_result(receiver.get("/payment"))
        equal((notice["out_trade_no"], notice["total_fee"], notice["attach"]), (paid, 990, "a=b <c>"))
        try:
            forger.parse_payment_result(receiver.get("/payment"))
        except InvalidSignatureException:
            return
        raise AssertionError("another key finds the notice genuine")

    def closed():
        # WeChat closes an order only five minutes after it was made.
        sandbox.command("clock", advance_ms=6 * 60_000)
        client.order.close(unpaid)
        equal(client.order.query(out_trade_no=unpaid)["trade_state"], "CLOSED")

    def give_back(with_client):
        url = f"{receiver.url}/refund"
        return with_client.refund.apply(990, 300, refund, out_trade_no=paid, refund_desc="茶凉了", notify_url=url)

    def uncertified():
        equal(refused(lambda: give_back(without_certificate)).response.status_code, 400)

    def refund_noticed():
        sandbox.command("clock", advance_ms=24 * 3_600_000)
        notice = client.parse_refund_notify_result(receiver.get("/refund"))
        told = (notice["out_refund_no"], notice["refund_fee"], notice["refund_status"])
        equal(told, (refund, 300, "SUCCESS"))

    def refund_status():
        answer = client.refund.query(out_refund_no=refund)
        equal((answer["refund_status_0"], answer["refund_fee_0"]), ("SUCCESS", "300"))

    check = lambda name, run: table.check(f"wechatpy, acme-shop (MD5): {name}", run)
    check("unified order, and its answer is signed", created)
    check("a request that is signed with another key is refused", forged)
    check("query before the payment", lambda: equal(client.order.query(out_trade_no=paid)["trade_state"], "NOTPAY"))
    check("the sandbox's payment notice is genuine", noticed)
    check("query after the payment", lambda: equal(client.order.query(out_trade_no=paid)["trade_state"], "SUCCESS"))
    check("close", closed)
    check("a refund without the client certificate is refused", uncertified)
    check("refund with the client certificate", lambda: equal(give_back(client)["refund_fee"], "300"))
    check("the sandbox's refund notice opens with the account's key", refund_noticed)
    check("refund query", refund_status)


def main():
    table = Table()
    with tempfile.TemporaryDirectory(prefix="tongbao-interop-") as folder:
        sandbox = Sandbox(os.path.join(sys.argv[1], "sandbox"), folder)
        try:
            sales(sandbox, Receiver(), table)
        finally:
            sandbox.end()
    held = table.count - table.failed
    print(f"\n{held} checks held" if table.failed == 0 else f"\n{table.failed} of {table.count} checks FAILED")
    return 0 if table.failed == 0 and 0 < table.count else 1


if __name__ == "__main__":
    sys.exit(main())
