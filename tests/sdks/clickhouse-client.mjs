// @clickhouse/client, unmodified, against the engine: node clickhouse-client.mjs <url> <user> <password>
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { createClient, ClickHouseError } from "@clickhouse/client";

const [url, username, password] = process.argv.slice(2);
const client = createClient({ url, username, password });
const table = "from_the_client";
const steps = {
  async "it pings"() {
    assert.equal((await client.ping()).success, true);
    assert.equal((await client.ping({ select: true })).success, true);
  },

  async "it makes a table"() {
    await client.command({ query: `DROP TABLE IF EXISTS ${table}` });
    await client.command({
      query: `CREATE TABLE ${table} (id UInt64, name String, at DateTime64(3)) ENGINE = MergeTree ORDER BY id`,
    });
  },

  async "it inserts objects and is told how many"() {
    const { summary, query_id } = await client.insert({
      table,
      format: "JSONEachRow",
      values: [
        { id: 1, name: "it's ✓\n", at: 1_700_000_000_123 },
        { id: 2, name: "two", at: 1_700_000_000_456 },
      ],
      clickhouse_settings: { async_insert: 0 },
    });
    assert.equal(summary?.written_rows, "2");
    assert.ok(query_id);
  },

  async "it inserts a stream"() {
    const rows = (function* () {
      for (let id = 100; id < 10_100; id++) yield { id, name: `row ${id}`, at: 0 };
    })();
    await client.insert({
      table, format: "JSONEachRow", values: Readable.from(rows), clickhouse_settings: { async_insert: 0 },
    });
    const result = await client.query({ query: `SELECT count() AS n FROM ${table}`, format: "JSONEachRow" });
    assert.deepEqual(await result.json(), [{ n: 10002 }]);
  },

  async "it inserts some columns, and from a select"() {
    await client.insert({
      table, columns: ["id", "name"], format: "JSONCompactEachRow", values: [[20_000, "compact"]],
    });
    await client.command({ query: `INSERT INTO ${table} SELECT 20001, 'selected', now64(3)` });
    await client.command({ query: `INSERT INTO ${table} (id, name) VALUES (20002, 'valued')` });
    const result = await client.query({
      query: `SELECT name FROM ${table} WHERE id >= 20000 ORDER BY id`, format: "JSONCompactEachRow",
    });
    assert.deepEqual(await result.json(), [["compact"], ["selected"], ["valued"]]);
  },

  async "it reads with parameters"() {
    const name = "it's ✓\n";
    const result = await client.query({
      query: `SELECT id, name = {name: String} AS same FROM ${table} WHERE id IN {ids: Array(UInt64)} ORDER BY id`,
      query_params: { name, ids: [1, 2] },
      format: "JSON",
    });
    assert.deepEqual((await result.json()).data, [{ id: 1, same: 1 }, { id: 2, same: 0 }]);
  },

  async "it sends large parameters in a form"() {
    const text = "x".repeat(200_000);
    const result = await client.query({
      query: "SELECT length({text: String}) AS n", query_params: { text }, format: "JSONEachRow",
    });
    assert.deepEqual(await result.json(), [{ n: 200_000 }]);
  },

  async "it streams a result"() {
    const result = await client.query({
      query: "SELECT number FROM numbers(500000)", format: "JSONCompactEachRow", query_id: "of the client",
    });
    assert.equal(result.query_id, "of the client");
    let count = 0;
    for await (const rows of result.stream()) count += rows.length;
    assert.equal(count, 500_000);
  },

  async "it reads compressed"() {
    const compressed = createClient({ url, username, password, compression: { response: true, request: true } });
    await compressed.insert({ table, format: "JSONEachRow", values: [{ id: 30_000, name: "gzip", at: 0 }] });
    const result = await compressed.query({
      query: `SELECT name FROM ${table} WHERE id = 30000`, format: "JSONEachRow",
    });
    assert.deepEqual(await result.json(), [{ name: "gzip" }]);
    await compressed.close();
  },

  async "it has settings"() {
    const result = await client.query({
      query: "SELECT getSetting('max_threads') AS n", format: "JSONEachRow", clickhouse_settings: { max_threads: 3 },
    });
    assert.deepEqual(await result.json(), [{ n: 3 }]);
  },

  async "it understands errors"() {
    await assert.rejects(client.query({ query: "SELECT * FROM missing" }), error("60", "UNKNOWN_TABLE"));
    await assert.rejects(client.query({ query: "SELEC 1" }), error("62", "SYNTAX_ERROR"));
    await assert.rejects(
      client.insert({ table: "missing", values: [{ a: 1 }], format: "JSONEachRow" }), error("60", "UNKNOWN_TABLE"));
    const stranger = createClient({ url, username, password: "wrong" });
    await assert.rejects(stranger.query({ query: "SELECT 1" }), error("516", "AUTHENTICATION_FAILED"));
    await stranger.close();
  },

  async "it understands an error in the midst of a result"() {
    const result = await client.query({
      query: "SELECT throwIf(number = 500000) FROM numbers(1000000) SETTINGS max_block_size = 1000",
      format: "JSONCompactEachRow",
    });
    await assert.rejects(async () => {
      for await (const rows of result.stream()) assert.ok(rows.length);
    }, error("395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"));
  },

  async "its query ends when it is aborted"() {
    const controller = new AbortController();
    const endless = client.query({
      query: "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))",
      query_id: "to be aborted",
      abort_signal: controller.signal,
    });
    await running("to be aborted", 1);
    controller.abort();
    await assert.rejects(endless);
    await running("to be aborted", 0);
  },
};

function error(code, type) {
  return (thrown) => {
    assert.ok(thrown instanceof ClickHouseError, String(thrown));
    assert.deepEqual([thrown.code, thrown.type], [code, type]);
    return true;
  };
}

async function running(id, wanted) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const result = await client.query({
      query: "SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] = {id: String}",
      query_params: { id },
      format: "JSONEachRow",
    });
    const [{ n }] = await result.json();
    if (n === wanted) return;
    assert.ok(Date.now() < deadline, `${id}: ${n} run`);
  }
}

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(name);
}
await client.close();
