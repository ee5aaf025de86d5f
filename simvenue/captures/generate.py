#!/usr/bin/env python3
"""Makes the captures that are shipped with simvenue.

    generate.py SPOT_CAPTURE.gz OUTPUT_DIRECTORY

SPOT_CAPTURE is the public sample spot_btcusdt_20240808.gz of hftbacktest
(MIT, see LICENSE.hftbacktest). From it come

  binance_spot_btcusdt_200s.gz  200 s of bookTicker and trade frames, and the
                                depth snapshot, as they were recorded
  polymarket_btc_15m.jsonl.gz   two BTC 15-minute markets, made up here: their
                                books follow the recorded Bitcoin price
  hyperliquid_btc.jsonl.gz      BTC bbo, l2Book, trades and activeAssetCtx,
                                made up in the same way

Deterministic: the same input gives the same bytes. Not needed to build or
to run anything.
"""

import gzip
import hashlib
import json
import math
import random
import sys

SPAN_NS = 200 * 10**9
SEED = 20240808
STRIKE = 61760.0
WINDOW_S = 900
SIGMA_USD = 5.5  # a square root of a second
BASIS = -21.4  # settlement price less Binance
LEVELS = 18
KEEP = ('btcusdt@bookTicker', 'btcusdt@trade')


def text(obj):
    return json.dumps(obj, separators=(',', ':'))


def number(x, decimals=8):
    s = f'{x:.{decimals}f}'.rstrip('0').rstrip('.')
    return s if s else '0'


def write_gz(path, lines):
    with open(path, 'wb') as f:
        with gzip.GzipFile('', 'wb', 9, f, mtime=0) as z:
            z.write(('\n'.join(lines) + '\n').encode())


def own(t_ns, venue, conn, frame):
    return (t_ns, f'{{"t_ns":{t_ns},"venue":"{venue}","conn":"{conn}",'
                  f'"frame":{frame}}}')


def read_spot(path):
    """Lines of the cut, the mid price path and the trades in it."""
    lines, mids, trades = [], [], []
    start = None
    for line in gzip.open(path, 'rt'):
        line = line.rstrip('\n')
        t, frame = line.split(' ', 1)
        t = int(t)
        start = start or t
        if t - start > SPAN_NS:
            break
        if frame.startswith('{"lastUpdateId"'):
            lines.append(line)
            continue
        d = json.loads(frame)
        if d['stream'] not in KEEP:
            continue
        lines.append(line)
        if d['stream'].endswith('bookTicker'):
            mids.append((t, (float(d['data']['b']) +
                             float(d['data']['a'])) / 2))
        else:
            trades.append((t, float(d['data']['p']), float(d['data']['q']),
                           d['data']['m']))
    return lines, mids, trades


class Path:
    """The last mid price at a time."""

    def __init__(self, mids):
        self.mids, self.i = mids, 0

    def at(self, t):
        while self.i + 1 < len(self.mids) and self.mids[self.i + 1][0] <= t:
            self.i += 1
        return self.mids[self.i][1]


class Token:
    def __init__(self, name, outcome):
        h = hashlib.sha256(f'ringmaker {name} {outcome}'.encode()).hexdigest()
        self.id = str(int(h, 16))
        self.outcome = outcome
        self.last = '0.500'


class Market:
    """One binary market: prices in cents of the Up token."""

    def __init__(self, start_s, rng):
        self.start_s, self.rng = start_s, rng
        self.slug = f'btc-updown-15m-{start_s}'
        self.cond = '0x' + hashlib.sha256(self.slug.encode()).hexdigest()
        self.up, self.down = Token(self.slug, 'Up'), Token(self.slug, 'Down')
        self.bids, self.asks = {}, {}
        self.out = []

    # -- the book of a token, as the venue writes it

    def sides(self, token):
        if token is self.up:
            bids, asks = self.bids, self.asks
        else:
            bids = {100 - p: q for p, q in self.asks.items()}
            asks = {100 - p: q for p, q in self.bids.items()}

        def levels(side, reverse):
            return [{'price': number(p / 100, 2), 'size': number(q / 100, 2)}
                    for p, q in sorted(side.items(), reverse=reverse)]
        return levels(bids, False), levels(asks, True)

    def book(self, token, ms, is_rest):
        bids, asks = self.sides(token)
        full = {'market': self.cond, 'asset_id': token.id,
                'timestamp': str(ms), 'hash': '', 'bids': bids, 'asks': asks,
                'min_order_size': '5', 'tick_size': '0.01', 'neg_risk': False,
                'last_trade_price': token.last}
        full['hash'] = hashlib.sha1(text(full).encode()).hexdigest()
        if is_rest:
            return full
        return {'market': self.cond, 'asset_id': token.id,
                'timestamp': str(ms), 'hash': full['hash'], 'bids': bids,
                'asks': asks, 'tick_size': '0.01', 'event_type': 'book',
                'last_trade_price': token.last}

    # -- frames

    def emit(self, t, conn, frame):
        self.out.append(own(t, 'polymarket', conn, text(frame)))

    def send_changes(self, t, changes):
        """changes: (is_bid, cents) of the Up token whose size is new."""
        ms = t // 10**6 - 40
        hashes = {k: self.book(k, ms, True)['hash']
                  for k in (self.up, self.down)}
        entries = []
        for is_bid, p in changes:
            size = (self.bids if is_bid else self.asks).get(p, 0)
            for token in (self.up, self.down):
                is_up = token is self.up
                bids, asks = self.sides(token)
                entries.append({
                    'asset_id': token.id,
                    'price': number((p if is_up else 100 - p) / 100, 2),
                    'size': number(size / 100, 2),
                    'side': 'BUY' if is_bid == is_up else 'SELL',
                    'hash': hashes[token],
                    'best_bid': bids[-1]['price'] if bids else '0',
                    'best_ask': asks[-1]['price'] if asks else '1'})
        self.emit(t, 'market', {'market': self.cond, 'price_changes': entries,
                                'timestamp': str(ms),
                                'event_type': 'price_change'})

    def send_trade(self, t, is_buy, cents, size):
        """A taker buys or sells Up at a price, on either token."""
        ms = t // 10**6 - 40
        on_up = self.rng.random() < 0.6
        token = self.up if on_up else self.down
        price = cents if on_up else 100 - cents
        token.last = f'{price / 100:.3f}'
        self.emit(t, 'market', {
            'market': self.cond, 'asset_id': token.id,
            'price': number(price / 100, 2), 'size': number(size / 100, 2),
            'fee_rate_bps': '0',
            'side': 'BUY' if is_buy == on_up else 'SELL',
            'timestamp': str(ms), 'event_type': 'last_trade_price',
            'transaction_hash': '0x' + hashlib.sha256(
                f'{self.slug} {t}'.encode()).hexdigest()})
        self.emit(t + 10**6, 'market', [self.book(self.up, ms, False),
                                        self.book(self.down, ms, False)])

    # -- how the book moves

    def size(self):
        base = self.rng.choice((500, 1000, 1150, 2000, 2500, 4000, 6000))
        return base + self.rng.randrange(0, 4) * 50

    def target(self, fair):
        """Best bid and ask around a probability, in cents."""
        bid = max(2, min(97, math.floor(fair * 100 - 0.5)))
        return bid, min(98, max(bid + 1, math.ceil(fair * 100 + 0.5)))

    def fill(self, fair):
        bid, ask = self.target(fair)
        for i in range(LEVELS):
            if bid - i >= 1:
                self.bids[bid - i] = self.size()
            if ask + i <= 99:
                self.asks[ask + i] = self.size()

    def move(self, t, fair):
        bid, ask = self.target(fair)
        gone_asks = sorted(p for p in self.asks if p < ask)
        gone_bids = sorted((p for p in self.bids if p > bid), reverse=True)
        side, is_buy = ((self.asks, True) if gone_asks else
                        (self.bids, False))
        gone = gone_asks or gone_bids
        if gone and self.rng.random() < 0.6:
            # swept by a taker
            p = gone[0]
            self.send_trade_of(t, side, is_buy, p, side[p])
            return
        changes = []
        for p in gone_asks:
            del self.asks[p]
            changes.append((False, p))
        for p in gone_bids:
            del self.bids[p]
            changes.append((True, p))
        for p in range(max(1, bid - LEVELS + 1), bid + 1):
            if p not in self.bids:
                self.bids[p] = self.size()
                changes.append((True, p))
        for p in range(ask, min(99, ask + LEVELS - 1) + 1):
            if p not in self.asks:
                self.asks[p] = self.size()
                changes.append((False, p))
        for q, is_bid, keep in ((self.bids, True, bid - 2 * LEVELS),
                                (self.asks, False, ask + 2 * LEVELS)):
            for p in [p for p in q if (p < keep if is_bid else p > keep)]:
                del q[p]
                changes.append((is_bid, p))
        if changes:
            self.send_changes(t, changes[:8] if len(changes) <= 8
                              else changes)

    def send_trade_of(self, t, side, is_buy, p, size):
        side[p] -= size
        if side[p] <= 0:
            del side[p]
        self.send_trade(t, is_buy, p, size)

    def quiver(self, t):
        """One order comes or goes near the touch."""
        is_bid = self.rng.random() < 0.5
        side = self.bids if is_bid else self.asks
        if not side:
            return
        best = max(side) if is_bid else min(side)
        p = best - self.rng.randrange(0, 6) if is_bid else \
            best + self.rng.randrange(0, 6)
        if p not in side:
            return
        side[p] = max(500, side[p] + self.rng.choice(
            (-1000, -500, 500, 1000, 1150, 2500)))
        self.send_changes(t, [(is_bid, p)])

    def noise_trade(self, t, is_buy):
        side = self.asks if is_buy else self.bids
        if len(side) < 2:
            return
        p = min(side) if is_buy else max(side)
        part = self.rng.choice((0.25, 0.5, 1.0, 1.0))
        size = max(100, int(side[p] * part) // 50 * 50)
        self.send_trade_of(t, side, is_buy, p, min(size, side[p]))

    def gamma(self, price_to_beat):
        def iso(s):
            import datetime
            return datetime.datetime.utcfromtimestamp(s).strftime(
                '%Y-%m-%dT%H:%M:%SZ')
        n = int(hashlib.sha256(self.slug.encode()).hexdigest()[:6], 16)
        event = {'id': str(n % 900000 + 100000), 'slug': self.slug,
                 'seriesSlug': 'btc-up-or-down-15m', 'negRisk': False}
        if price_to_beat is not None:
            event['eventMetadata'] = {'priceToBeat': price_to_beat}
        return {
            'id': str(n), 'question': f'Bitcoin Up or Down - {self.slug}',
            'conditionId': self.cond, 'slug': self.slug,
            'resolutionSource': 'https://data.chain.link/streams/btc-usd',
            'startDate': iso(self.start_s - 86400),
            'eventStartTime': iso(self.start_s),
            'endDate': iso(self.start_s + WINDOW_S),
            'description': 'This market will resolve to "Up" if the Bitcoin '
            'price at the end of the time range specified in the title is '
            'greater than or equal to the price at the beginning of that '
            'range. Otherwise, it will resolve to "Down". The resolution '
            'source for this market is information from Chainlink, '
            'specifically the BTC/USD data stream available at '
            'https://data.chain.link/streams/btc-usd.',
            'outcomes': '["Up", "Down"]',
            'clobTokenIds': f'["{self.up.id}", "{self.down.id}"]',
            'active': True, 'closed': False, 'archived': False,
            'enableOrderBook': True, 'acceptingOrders': True,
            'negRisk': False, 'orderPriceMinTickSize': 0.01,
            'orderMinSize': 5, 'liquidity': '18501.5',
            'liquidityNum': 18501.5, 'volume': '6162.7',
            'volumeNum': 6162.7, 'feesEnabled': True,
            'feeSchedule': {'rate': 0.07, 'exponent': 1, 'takerOnly': True,
                            'rebateRate': 0.2},
            'events': [event]}


def fair_up(mid, strike, left_s):
    z = (mid - strike) / (SIGMA_USD * math.sqrt(max(left_s, 1)))
    return min(0.96, max(0.04, 0.5 * (1 + math.erf(z / math.sqrt(2)))))


def rtds(t, topic, symbol, kind, payload):
    return own(t, 'polymarket', 'rtds', text({
        'topic': topic, 'type': kind, 'timestamp': t // 10**6,
        'payload': {'symbol': symbol, **payload}}))


def make_rtds(mids, rng, start, end):
    path, out = Path(mids), []
    for topic, symbol, basis in (('crypto_prices', 'btcusdt', 0.0),
                                 ('crypto_prices_chainlink', 'btc/usd',
                                  BASIS)):
        first = path.mids[0][1] + basis
        points = [{'timestamp': (start // 10**9 - 120 + i) * 1000,
                   'value': round(first + rng.gauss(0, 4), 2)}
                  for i in range(120)]
        out.append(rtds(start, topic, symbol, 'subscribe', {'data': points}))
        path.i = 0
        for s in range(start // 10**9 + 1, end // 10**9):
            t = s * 10**9 + 650_000_000
            value = round(path.at(s * 10**9) + basis +
                          (rng.gauss(0, 0.6) if basis else 0), 2)
            exact = (f'{value:.8f}' if not basis
                     else str(int(round(value * 100))) + '0' * 16)
            out.append(rtds(t, topic, symbol, 'update', {
                'timestamp': s * 1000, 'value': value,
                'full_accuracy_value': exact}))
        path.i = 0
    return out


def make_polymarket(mids, trades):
    rng = random.Random(SEED)
    start, end = mids[0][0], mids[-1][0]
    first_s = start // 10**9 // WINDOW_S * WINDOW_S
    now, nxt = Market(first_s, rng), Market(first_s + WINDOW_S, rng)
    path = Path(mids)
    lines = [own(start, 'polymarket', 'gamma', text(m.gamma(k)))
             for m, k in ((now, STRIKE + BASIS), (nxt, None))]
    for m, fair in ((now, fair_up(path.at(start), STRIKE, 340)), (nxt, 0.5)):
        m.fill(fair)
        for token in (m.up, m.down):
            m.emit(start, 'book', m.book(token, start // 10**6 - 40, True))
    t, k, drift = start, 0, 0.0
    while True:
        t += int(rng.uniform(0.08, 0.6) * 1e9)
        if t > end:
            break
        left = first_s + WINDOW_S - t // 10**9
        drift = 0.98 * drift + rng.gauss(0, 0.002)
        while k < len(trades) and trades[k][0] < t:
            k += 1
        u = rng.random()
        if u < 0.22:
            now.quiver(t)
        elif u < 0.32:
            now.noise_trade(t, not trades[min(k, len(trades) - 1)][3])
        elif u < 0.36:
            nxt.quiver(t)
        elif u < 0.37:
            nxt.noise_trade(t, rng.random() < 0.5)
        elif u < 0.39:
            nxt.move(t, 0.5 + drift)
        else:
            now.move(t, fair_up(path.at(t), STRIKE, left))
    lines += now.out + nxt.out + make_rtds(mids, rng, start, end)
    return [s for _, s in sorted(lines, key=lambda x: x[0])]


def hl(t, frame):
    return own(t, 'hyperliquid', 'ws', text(frame))


def hl_levels(rng, best, step, n):
    return [{'px': f'{best + step * i:.1f}',
             'sz': number(rng.uniform(0.01, 12) / (1 + (i == 0)), 5),
             'n': rng.randrange(1, 30)} for i in range(n)]


def make_hyperliquid(mids, trades):
    rng = random.Random(SEED + 1)
    path, out = Path(mids), []
    start, end = mids[0][0], mids[-1][0]
    last = None
    for t in range(start, end, 180_000_000):
        mid = path.at(t) - 12.0
        bid = math.floor(mid - 0.2)
        ms = t // 10**6 - 210
        if bid != last or rng.random() < 0.3:
            last = bid
            out.append(hl(t, {'channel': 'bbo', 'data': {
                'coin': 'BTC', 'time': ms,
                'bbo': [hl_levels(rng, bid, -1, 1)[0],
                        hl_levels(rng, bid + 1, 1, 1)[0]]}}))
        n = (t - start) // 180_000_000
        for every, depth, fast in ((3, 5, True), (30, 20, False)):
            if n % every == 0:
                data = {'coin': 'BTC', 'time': ms, 'levels': [
                    hl_levels(rng, bid, -1, depth),
                    hl_levels(rng, bid + 1, 1, depth)]}
                if fast:
                    data['fast'] = True
                out.append(hl(t, {'channel': 'l2Book', 'data': data}))
        if n % 6 == 0:
            out.append(hl(t, {'channel': 'activeAssetCtx', 'data': {
                'coin': 'BTC', 'ctx': {
                    'funding': '0.0000125',
                    'openInterest': number(36585.3 + rng.gauss(0, 2), 5),
                    'prevDayPx': '60120.0', 'dayNtlVlm': '4161029539.7',
                    'premium': '-0.0002', 'oraclePx': f'{mid + 12:.1f}',
                    'markPx': f'{mid:.1f}', 'midPx': f'{bid + 0.5:.1f}',
                    'impactPxs': [f'{bid:.1f}', f'{bid + 1:.1f}'],
                    'dayBaseVlm': '49116.1'}}}))
    for i, (t, px, qty, maker_buys) in enumerate(trades):
        if rng.random() > 0.12:
            continue
        out.append(hl(t + 30_000_000, {'channel': 'trades', 'data': [{
            'coin': 'BTC', 'side': 'A' if maker_buys else 'B',
            'px': f'{round(px - 12):.1f}',
            'sz': number(max(qty * 3, 0.0001), 5),
            'time': t // 10**6 - 180, 'hash': '0x' + '0' * 64,
            'tid': int(hashlib.sha256(f'hl {i}'.encode()).hexdigest()[:12],
                       16),
            'users': ['0x' + '0' * 40, '0x' + '0' * 40]}]}))
    return [s for _, s in sorted(out, key=lambda x: x[0])]


def main():
    spot, folder = sys.argv[1], sys.argv[2]
    lines, mids, trades = read_spot(spot)
    write_gz(f'{folder}/binance_spot_btcusdt_200s.gz', lines)
    write_gz(f'{folder}/polymarket_btc_15m.jsonl.gz',
             make_polymarket(mids, trades))
    write_gz(f'{folder}/hyperliquid_btc.jsonl.gz',
             make_hyperliquid(mids, trades))


main()
