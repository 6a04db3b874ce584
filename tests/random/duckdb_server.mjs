// duckdb_server.mjs — DuckDB in memory for the random queries: on each line of stdin a JSON text of
// SQL, for each of them on stdout {"rows": [[text or null]]} or {"error": "…"}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const peers = new URL('../../bench/peers/package.json', import.meta.url);
const { DuckDBInstance } = createRequire(peers)('@duckdb/node-api');

const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const connection = await instance.connect();
for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    const reader = await connection.runAndReadAll(JSON.parse(line));
    reply = { rows: reader.getRows().map(
      (row) => row.map((value) => (value === null ? null : String(value)))) };
  } catch (error) {
    reply = { error: String(error.message ?? error).split('\n')[0] };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
connection.closeSync();
instance.closeSync();
