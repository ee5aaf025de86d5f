// DuckDB's Parquet writer on the rows that bench_parquet kept: the reference
// of parquet_ticks. One thread, ZSTD, the same row group size.
// usage: node bench.mjs FILE ROUNDS  (FILE is what bench_parquet wrote)
import fs from 'node:fs';
import {DuckDBInstance} from '@duckdb/node-api';

const [file, rounds] = [process.argv[2], Number(process.argv[3] ?? 7)];
const db = await (await DuckDBInstance.create()).connect();
const out = `${file}.duckdb`;
const rates = [];

await db.run('SET threads = 1');
await db.run(`CREATE TABLE t AS SELECT * FROM read_parquet('${file}')`);
await db.run('INSERT INTO t SELECT * FROM t');
await db.run('INSERT INTO t SELECT * FROM t');
const n = Number((await (await db.runAndReadAll(
    'SELECT count(*) FROM t')).getRows())[0][0]);

for (let i = 0; i < rounds; i++) {
	const t = process.hrtime.bigint();

	await db.run(`COPY t TO '${out}' (FORMAT parquet, COMPRESSION zstd,
	    ROW_GROUP_SIZE 131072)`);
	rates.push(n / Number(process.hrtime.bigint() - t) * 1e3);
}
rates.sort((a, b) => a - b);
await db.run(`COPY (SELECT * FROM read_parquet('${file}')) TO '${out}' (FORMAT parquet,
    COMPRESSION zstd, ROW_GROUP_SIZE 131072)`);
console.log(`duckdb_ticks ${rates[rounds >> 1].toFixed(2)} Mrows/s`);
console.log(`duckdb_ticks_size ${(fs.statSync(out).size * 4 / n).toFixed(2)}` +
    ' B/row');
fs.unlinkSync(out);
