-- Certificates for specs, made by the openssl command in a temporary folder: a CA to trust, and server
-- certificates that are valid, expired, for another host, and from a CA that is not trusted. No certificate
-- store is touched, and no key outlives the test.

local process = require "support.process"

local certificates = {}

local LOCAL_NAMES = "DNS:localhost,IP:127.0.0.1"
local PAST, RECENT, FUTURE = "20200101000000Z", "20200201000000Z", "20491231235959Z"

local AUTHORITIES = { "trusted", "untrusted" }

local SERVERS = {
  server = { ca = "trusted", names = LOCAL_NAMES, expires = FUTURE },
  expired = { ca = "trusted", names = LOCAL_NAMES, expires = RECENT },
  other_host = { ca = "trusted", names = "DNS:other.example", expires = FUTURE },
  unknown = { ca = "untrusted", names = LOCAL_NAMES, expires = FUTURE },
}

-- A configuration of its own, because the system's differs between machines.
local CONFIGURATION = [[
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = $ENV::NAMES
[ca]
database = $ENV::AUTHORITY.index
new_certs_dir = .
default_md = sha256
rand_serial = yes
policy = subject_policy
[subject_policy]
commonName = supplied
]]

local MAKE_AUTHORITY = [[
: >"$AUTHORITY.index"
openssl req -config openssl.cnf -x509 -extensions authority -days 3650 -subj "/CN=$AUTHORITY test CA" \
  -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$AUTHORITY.key" -out "$AUTHORITY.pem"
]]

-- `openssl ca`, because in OpenSSL 3.0 no other command sets both dates.
local MAKE_SERVER = [[
openssl req -config openssl.cnf -new -subj "/CN=$SERVER" \
  -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$SERVER.key" -out "$SERVER.csr"
openssl ca -config openssl.cnf -name ca -extensions server -batch -notext \
  -cert "$AUTHORITY.pem" -keyfile "$AUTHORITY.key" -startdate "$FROM" -enddate "$UNTIL" \
  -in "$SERVER.csr" -out "$SERVER.pem"
]]

local function script()
  local lines = { "set -e", "export NAMES=DNS:unused AUTHORITY" }
  for _, authority in ipairs(AUTHORITIES) do
    lines[#lines + 1] = "AUTHORITY=" .. authority
    lines[#lines + 1] = MAKE_AUTHORITY
  end
  for server, is in pairs(SERVERS) do
    lines[#lines + 1] = ("SERVER=%s AUTHORITY=%s NAMES=%s FROM=%s UNTIL=%s")
      :format(server, is.ca, is.names, PAST, is.expires)
    lines[#lines + 1] = MAKE_SERVER
  end
  return table.concat(lines, "\n")
end

-- Makes a folder that is removed when the process that keeps it ends: with the test at the latest.
local KEEP_FOLDER = [[
folder=$(mktemp -d "${TMPDIR:-/tmp}/hubspot-associations.XXXXXX") || exit
trap '' INT TERM
trap 'rm -rf -- "$folder"' EXIT
printf '%s\n' "$folder"
cat >/dev/null
]]

-- A sanitizer that is preloaded for the code under test must not run in these tools.
local TOOLS = { env = { LD_PRELOAD = false } }

---@class certificates.Pair
---@field certificate string path of a PEM file
---@field key string path of a PEM file

---@class certificates.Set
---@field ca string path of the certificate that the test is to trust
---@field server certificates.Pair for localhost and 127.0.0.1
---@field expired certificates.Pair
---@field other_host certificates.Pair for other.example
---@field unknown certificates.Pair by a CA that nobody trusts
---@field folder string
---@field close fun(self?: certificates.Set) removes the files; the end of the test process does, too

--- Makes a CA and its certificates. Raises with openssl's output if that fails.
---@return certificates.Set
function certificates.make()
  local keeper = process.start({ "sh", "-c", KEEP_FOLDER }, TOOLS)
  local folder = keeper.line
  process.write_file(folder .. "/openssl.cnf", CONFIGURATION)
  local result = process.run({ "sh", "-c", "cd \"$1\" || exit\n" .. script(), "sh", folder }, TOOLS)
  if result.code ~= 0 then
    keeper:close()
    error("openssl made no certificates: " .. result.stderr, 2)
  end

  local set = { ca = folder .. "/trusted.pem", folder = folder }
  for name in pairs(SERVERS) do
    set[name] = { certificate = folder .. "/" .. name .. ".pem", key = folder .. "/" .. name .. ".key" }
  end
  function set.close()
    keeper:close()
  end
  return set
end

return certificates
