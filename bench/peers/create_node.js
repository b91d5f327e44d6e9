// Peer: Node.js creates the batch, with HubSpot's own client or with fetch, as BENCH_WAY says, and reads every
// result. Prints the microseconds of CPU that one batch took.
const SIZE = Number(process.env.BENCH_SIZE || 2000);
const { BENCH_WAY, BENCH_URL, BENCH_BASE_URL, BENCH_WARMUP, BENCH_BATCHES } = process.env;
const TOKEN = "pat-na1-00000000-0000-0000-0000-000000000000";

// Those of support/batch.lua. HubSpot's client has another name for `from`.
function inputsOf(from) {
  return Array.from({ length: SIZE }, (_, i) => ({
    [from]: { id: String(20000000000 + (i + 1) * 7919) },
    to: { id: String(9000000000 + (i + 1) * 104729) },
    types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 1 }],
  }));
}

function official() {
  let Client;
  try {
    ({ Client } = require("@hubspot/api-client"));
  } catch {
    console.log("missing @hubspot/api-client (see make peers)");
    process.exit(0);
  }
  const { batchApi } = new Client({
    accessToken: TOKEN,
    basePath: BENCH_BASE_URL,
    limiterOptions: { minTime: 0, maxConcurrent: 1 },
  }).crm.associations.v4;
  const inputs = inputsOf("_from");
  return () => batchApi.create("contacts", "companies", { inputs });
}

function byFetch() {
  const inputs = inputsOf("from");
  const headers = { Authorization: "Bearer " + TOKEN, "Content-Type": "application/json" };
  return async () => {
    const answer = await fetch(BENCH_URL, { method: "POST", headers, body: JSON.stringify({ inputs }) });
    if (answer.status !== 201) throw new Error("status " + answer.status);
    return answer.json();
  };
}

async function main() {
  const create = BENCH_WAY === "official" ? official() : byFetch();
  async function batch() {
    let linked = 0;
    for (const result of (await create()).results) if (result.fromObjectId && result.toObjectId) linked++;
    if (linked !== SIZE) throw new Error("the answer has not all results");
  }
  for (let i = 0; i < Number(BENCH_WARMUP); i++) await batch();
  const began = process.cpuUsage();
  for (let i = 0; i < Number(BENCH_BATCHES); i++) await batch();
  const used = process.cpuUsage(began);
  console.log(((used.user + used.system) / Number(BENCH_BATCHES)).toFixed(1));
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
