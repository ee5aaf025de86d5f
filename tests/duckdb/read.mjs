// Reads captures with DuckDB, hyparquet and parquet-wasm and compares with
// the sums that the writer noted in expected.json.
import fs from 'node:fs';
import path from 'node:path';
import {DuckDBInstance} from '@duckdb/node-api';
import {parquetReadObjects, parquetMetadataAsync, asyncBufferFromFile}
    from 'hyparquet';
import {compressors} from 'hyparquet-compressors';

const dir = process.argv[2];
const want = JSON.parse(fs.readFileSync(path.join(dir, 'expected.json')));
let failed = 0;

function same(what, got, expected)
{
	const ok = String(got) === String(expected);

	if (!ok)
		failed++;
	console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${got}` +
	    (ok ? '' : `, expected ${expected}`));
}

function files(at)
{
	return fs.readdirSync(at, {withFileTypes: true}).flatMap(e =>
	    e.isDirectory() ? files(path.join(at, e.name)) :
	    e.name.endsWith('.parquet') ? [path.join(at, e.name)] : []);
}

const db = await (await DuckDBInstance.create()).connect();

async function one(sql)
{
	return (await (await db.runAndReadAll(sql)).getRows())[0];
}

const ticks = `'${dir}/kind=price_ticks/**/*.parquet'`;
const [n, px, qty, first, last, syms] = await one(`
    SELECT count(*), sum(px), sum(qty), min(epoch_ns(ts)), max(epoch_ns(ts)),
        count(DISTINCT symbol) FROM ${ticks}`);

same('duckdb rows', n, want.rows);
same('duckdb sum(px)', px, want.px);
same('duckdb sum(qty)', qty, want.qty);
// DuckDB's TIMESTAMPTZ counts microseconds; the file has nanoseconds.
const us = ns => BigInt(ns) / 1000n * 1000n;

same('duckdb first ts', first, us(want.first));
same('duckdb last ts', last, us(want.last));
same('duckdb symbols', syms, want.symbols);
const [types] = await one(`SELECT string_agg(type, ' ') FROM (
    SELECT column_name || ':' || column_type AS type FROM
    (DESCRIBE SELECT ts, px, trade_id, flags, symbol FROM ${ticks}))`);

same('duckdb types', types, 'ts:TIMESTAMP WITH TIME ZONE ' +
    'px:DECIMAL(18,8) trade_id:UBIGINT flags:INTEGER symbol:VARCHAR');
const [hives] = await one(`SELECT string_agg(DISTINCT kind || '/' || venue)
    FROM read_parquet(${ticks}, hive_partitioning = true)`);

same('duckdb partitions', hives, 'price_ticks/binance');
// Statistics must prune without losing rows.
const [pruned] = await one(`SELECT count(*) FROM ${ticks}
    WHERE symbol = 'BTCUSDT' AND px >= ${want.px_min} AND event = 'trade'`);
const [scanned] = await one(`SELECT sum(CASE WHEN symbol || '' = 'BTCUSDT'
    AND px + 0 >= ${want.px_min} AND event || '' = 'trade' THEN 1 ELSE 0 END)
    FROM ${ticks}`);

same('duckdb filter', pruned, scanned);
const [kv] = await one(`SELECT count(*) FROM parquet_kv_metadata(${ticks})
    WHERE decode(key) = 'config_hash'`);

same('duckdb footers', kv, files(`${dir}/kind=price_ticks`).length);
for (const [kind, rows] of Object.entries(want.kinds)) {
	const [got] = await one(
	    `SELECT count(*) FROM '${dir}/kind=${kind}/**/*.parquet'`);

	same(`duckdb ${kind}`, got, rows);
}

let rows = 0;
let ids = 0n;
let hfirst = null;

for (const f of files(`${dir}/kind=price_ticks`)) {
	const file = await asyncBufferFromFile(f);
	const meta = await parquetMetadataAsync(file);
	const got = await parquetReadObjects({file, metadata: meta,
	    compressors, columns: ['ts', 'trade_id', 'symbol', 'venue_ts',
		'side'],
	    parsers: {timestampFromNanoseconds: n => n}});

	rows += got.length;
	for (const r of got)
		if (hfirst === null || r.ts < hfirst)
			hfirst = r.ts;
	for (const r of got)
		ids += r.trade_id === null || r.trade_id === undefined ? 0n :
		    BigInt.asUintN(64, BigInt(r.trade_id));
}
same('hyparquet rows', rows, want.rows);
same('hyparquet first ts', hfirst, want.first);
same('hyparquet sum(trade_id)', ids, want.trade_ids);

const wasm = await import('parquet-wasm/node/parquet_wasm.js')
    .catch(() => import('parquet-wasm'));
const arrow = await import('apache-arrow');
let wrows = 0;
let wids = 0n;

for (const f of files(`${dir}/kind=price_ticks`)) {
	const t = arrow.tableFromIPC((wasm.readParquet ??
	    wasm.default.readParquet)(new Uint8Array(fs.readFileSync(f)))
	    .intoIPCStream());

	wrows += t.numRows;
	for (const v of t.getChild('trade_id'))
		wids += v === null ? 0n : v;
}
same('parquet-wasm rows', wrows, want.rows);
same('parquet-wasm sum(trade_id)', wids, want.trade_ids);
console.log(failed === 0 ? 'passed' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
