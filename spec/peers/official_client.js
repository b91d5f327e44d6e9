// Calls HubSpot's own client for Node.js: argv[2] is the server's URL, and standard input is a JSON list of
// calls, each [api, method, arguments]. The calls are made one after the other. Prints the names of all
// methods of those APIs as a JSON list. Fails where a call sent nothing; that client takes a 200 for an error
// where a 201 or 204 is documented, so that what it makes of the response does not matter here.
const fs = require("fs");
const { Client } = require("@hubspot/api-client");
const schema = require("@hubspot/api-client/lib/codegen/crm/associations/v4/schema");

const accessToken = "pat-na1-0123456789abcdef";
const basePath = process.argv[2];
const client = new Client({ accessToken, basePath, limiterOptions: { minTime: 0, maxConcurrent: 1 } });
// Generated, but the client has no property for it.
const definitionConfigurationsApi = new schema.DefinitionConfigurationsApi(schema.createConfiguration({
  baseServer: new schema.ServerConfiguration(basePath, {}),
  authMethods: { oauth2: { accessToken } },
}));
const { v4 } = client.crm.associations;
const apis = {
  basicApi: v4.basicApi,
  batchApi: v4.batchApi,
  reportApi: v4.reportApi,
  definitionsApi: v4.schema.definitionsApi,
  definitionConfigurationsApi,
};

// That client's name for the field "from" is "_from".
function renamed(name, value) {
  if (!value || value.from === undefined) return value;
  const { from, ...rest } = value;
  return { _from: from, ...rest };
}

async function main() {
  for (const [api, method, given] of JSON.parse(fs.readFileSync(0, "utf8"), renamed)) {
    await apis[api][method](...Object.values(given)).catch((error) => {
      if (error.code !== 200) throw new Error(`${api}.${method}: ${error.message}`);
    });
  }
  const methods = [];
  for (const [name, api] of Object.entries(apis)) {
    for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(api))) {
      if (method !== "constructor" && !method.endsWith("WithHttpInfo")) methods.push(`${name}.${method}`);
    }
  }
  console.log(JSON.stringify(methods));
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
