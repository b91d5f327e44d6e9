// Peer: HubSpot's own client for Node.js reads, lists or archives, as BENCH_OPERATION says: one request at a
// time, as its documentation shows it. Its own rate limiter is told not to wait. Prints what support/job.lua
// prints.
const fs = require("fs");

let Client;
try {
  ({ Client } = require("@hubspot/api-client"));
} catch {
  console.log("missing @hubspot/api-client (see make peers)");
  process.exit(0);
}

const READ = 1000, ARCHIVED = 2000, PAGE = 500, LINKS = 3;
const count = Number(process.env.BENCH_INPUTS);
const { basicApi, batchApi } = new Client({
  accessToken: "pat-na1-00000000-0000-0000-0000-000000000000",
  basePath: process.env.BENCH_BASE_URL,
  limiterOptions: { minTime: 0, maxConcurrent: 1 },
}).crm.associations.v4;

function walk(links) {
  let found = 0;
  for (const link of links) if (link.toObjectId && link.associationTypes[0].typeId === 279) found++;
  return found;
}

function check(all) {
  if (!all) throw new Error("not all was done");
}

const operations = {
  async read() {
    let next = 1, read = 0, links = 0, inputs = [];
    for (;;) {
      for (; inputs.length < READ && next <= count; next++) inputs.push({ id: String(20000000000 + next * 7919) });
      if (inputs.length === 0) break;
      const answer = await batchApi.getPage("contacts", "companies", { inputs });
      inputs = [];
      for (const result of answer.results) {
        links += walk(result.to);
        const after = result.paging?.next?.after;
        if (after) inputs.push({ id: result._from.id, after });
        else read++;
      }
    }
    check(read === count && links === count * LINKS);
  },

  async archive() {
    for (let done = 0; done < count; done += ARCHIVED) {
      const inputs = new Map();
      for (let i = done + 1; i <= Math.min(done + ARCHIVED, count); i++) {
        const from = String(20000000000 + Math.floor((i - 1) / 20) * 7919);
        if (!inputs.has(from)) inputs.set(from, { _from: { id: from }, to: [] });
        inputs.get(from).to.push({ id: String(9000000000 + i * 104729) });
      }
      await batchApi.archive("contacts", "companies", { inputs: [...inputs.values()] });
    }
  },

  async list() {
    const links = [];
    let after;
    do {
      const page = await basicApi.getPage("contacts", String(count), "companies", after, PAGE);
      links.push(...page.results);
      after = page.paging?.next?.after;
    } while (after);
    check(walk(links) === count);
  },
};

async function main() {
  const clock = process.hrtime.bigint(), cpu = process.cpuUsage();
  await operations[process.env.BENCH_OPERATION]();
  const used = process.cpuUsage(cpu), seconds = Number(process.hrtime.bigint() - clock) / 1e9;
  const peak = fs.readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s*(\d+)/)[1];
  console.log(`${((used.user + used.system) / 1e6).toFixed(4)} ${seconds.toFixed(4)} ${peak}`);
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
