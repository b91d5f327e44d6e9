-- Checks what the doctor says of a machine that lacks something which this one has. (What this one has:
-- cli/commands/doctor_spec.lua.)

local core = require "hubspot.associations.core"
local machine = require "hubspot.associations.cli.doctor.machine"

describe("of this machine, the doctor", function()
  local kept

  local function pretend(changes)
    kept = {}
    for _, name in ipairs { "VERSION", "LIBCURL_TLS", "LIBCURL_CA_FILE", "LIBCURL_CA_PATH" } do
      kept[name] = core[name] or false
      if changes[name] ~= nil then core[name] = changes[name] or nil end
    end
  end

  after_each(function()
    for name, value in pairs(kept or {}) do core[name] = value or nil end
  end)

  local function assert_wrong(finding, found)
    assert.equal("wrong", finding.status)
    assert.truthy(finding.found:find(found, 1, true), finding.found)
    assert.is_string(finding.advice)
  end

  it("says that libcurl has no TLS", function()
    pretend { LIBCURL_TLS = false }
    assert_wrong(machine.versions(), "without TLS")
  end)

  it("says that the C core is of another version", function()
    pretend { VERSION = "0.0.9" }
    assert_wrong(machine.versions(), "its C core is 0.0.9")
  end)

  it("says that the certificates are not where libcurl looks for them, neither file nor directory", function()
    pretend { LIBCURL_CA_FILE = "/nowhere/ca.pem", LIBCURL_CA_PATH = "/nowhere" }
    assert_wrong(machine.certificates { base_url = "https://a.example" }, "/nowhere")
    pretend { LIBCURL_CA_FILE = "/nowhere/ca.pem", LIBCURL_CA_PATH = "/" }
    assert.equal("ok", machine.certificates { base_url = "https://a.example" }.status)
  end)

  it("says that they are libcurl's own where it names no place", function()
    pretend { LIBCURL_CA_FILE = false, LIBCURL_CA_PATH = false }
    local finding = machine.certificates { base_url = "https://a.example" }
    assert.same({ "ok", "those of this machine (libcurl's own)" }, { finding.status, finding.found })
  end)
end)
