-- Checks the command read as its users run it: a process of its own, against the sandbox, over real HTTP.

local c_program = require "support.c_program"
local command = require "support.command"
local process = require "support.process"

local fixture = command.fixture()
local create, file, path, run_on = fixture.create, fixture.file, fixture.path, fixture.run_on
local assert_found = command.assert_found

-- Notes each file that is synced, and how large it is then.
local FSYNC = [[
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int fsync(int fd)
{
  char link[64], name[4096] = "";
  struct stat found;
  FILE *notes = fopen(getenv("FSYNCS"), "a");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, name, sizeof name - 1) > 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode)
      && notes != NULL)
    fprintf(notes, "%s %ld\n", name, (long)found.st_size);
  if (notes != NULL)
    fclose(notes);
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
]]

describe("the command read", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  local HEADER = "from,to,category,type,label\n"

  local function link()
    fixture.server:configure { labels = {
      ["36"] = { label = "=Decision, maker", from = "contacts", to = "companies", inverse = 37 },
    } }
    local pairs_of = "101,202,USER_DEFINED:36\n101,203,279\n102,202,279\n"
    assert.are.equal(0, create({ "-" }, { stdin = pairs_of }).code)
  end

  it("writes a row for each type of a pair, and its report to standard error", function()
    link()
    local result = run_on("read", { "-" }, { stdin = "id\n101\n103\n102\n" })
    assert.are.equal(0, result.code)
    local rows = {}
    for line in result.stdout:gmatch "[^\n]+" do rows[#rows + 1] = line end
    assert.are.equal(HEADER, table.remove(rows, 1) .. "\n")
    table.sort(rows)
    assert.are.same({
      "101,202,HUBSPOT_DEFINED,279,", "101,202,USER_DEFINED,36,\"'=Decision, maker\"",
      "101,203,HUBSPOT_DEFINED,279,", "102,202,HUBSPOT_DEFINED,279,",
    }, rows)
    assert_found(result.stderr, "3 rows: 3 read, 0 failed\n")
  end)

  it("writes JSON Lines", function()
    link()
    local result = run_on("read", { "--output-format", "jsonl", "-q", "-" }, { stdin = '{"id":101}\n' })
    assert.are.equal("", result.stderr)
    assert_found(result.stdout, '{"from":"101","to":"202","category":"USER_DEFINED","type":36,'
      .. '"label":"=Decision, maker"}\n')
    assert_found(result.stdout, '{"from":"101","to":"203","category":"HUBSPOT_DEFINED","type":279}\n')
  end)

  it("writes what create reads, to the same types", function()
    link()
    for _, format in ipairs { "csv", "jsonl" } do
      local links = run_on("read", { "--output-format", format, "-q", "-" }, { stdin = "101\n102\n" }).stdout
      local rows = file("links." .. format, links)
      assert.are.equal(0, run_on("archive", { "--yes", "--all-types", rows }).code)
      assert.are.equal(HEADER, run_on("read", { "-q", rows }).stdout)
      assert.are.equal(0, run_on("create", { rows }).code)
      local again = run_on("read", { "--output-format", format, "-q", "-" }, { stdin = "101\n102\n" }).stdout
      assert.are.equal(links, again)
    end
  end)

  it("follows the pages of a record", function()
    fixture.server:configure { page_size = 7 }
    local lines = {}
    for row = 1, 50 do lines[row] = "101," .. 1000 + row end
    assert.are.equal(0, create({ "--type", "279", "-" }, { stdin = table.concat(lines, "\n") }).code)
    local result = run_on("read", { "-q", "-" }, { stdin = "101\n" })
    assert.are.equal(51, select(2, result.stdout:gsub("\n", "")))
  end)

  it("names the records that failed, by one id, in a file that it reads", function()
    local result = run_on("read", { "--failures", path "f.csv", "-" }, { stdin = "id\n101\n1.5\n" })
    assert.are.same({ 1, HEADER }, { result.code, result.stdout })
    assert_found(result.stderr, "line 3: id: expected a record id")
    result = run_on("read", { path "f.csv" })
    assert_found(result.stderr, "1 row: 0 read, 1 failed")
  end)

  it("goes on from a journal without a second header", function()
    link()
    local more = { "--journal", path "j", "-q", file("ids.csv", "101\n") }
    assert_found(run_on("read", more).stdout, HEADER)
    assert.are.equal("", run_on("read", more).stdout)
  end)

  it("writes the header with a journal that is an empty file, as nothing was read yet", function()
    link()
    local journal = file("j", "")
    local result = run_on("read", { "--journal", journal, "-q", file("ids.csv", "101\n") })
    assert.are.equal(HEADER, result.stdout:match "^[^\n]*\n")
  end)

  it("has the rows of a batch on disk before its journal says that they are read", function()
    link()
    local preload = c_program.preload(path "fsync", FSYNC)
    if not preload then pending "no C compiler" end
    local result = run_on("read", {
      "--journal", path "j", "--output", path "links.csv", "--batch-size", "2", "--concurrency", "1", "-q",
      file("ids.csv", "101\n102\n103\n"),
    }, { env = { LD_PRELOAD = preload, FSYNCS = path "fsyncs" } })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    local synced, sizes = {}, {}
    for name, size in process.read_file(path "fsyncs"):gmatch "/([^/\n]+) (%d+)\n" do
      synced[#synced + 1], sizes[name] = name, sizes[name] or tonumber(size)
    end
    assert_found(table.concat(synced, " "), " links.csv.part j links.csv.part j links.csv.part")
    assert.are.equal(#process.read_file(path "links.csv"), sizes["links.csv.part"]) -- 103 has no links
  end)

  it("has a dry run that writes no rows", function()
    local result = run_on("read", { "--dry-run", "-" }, { stdin = "101\n", env = { HUBSPOT_TOKEN = false } })
    assert.are.same({ 0, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "dry run: 1 row: 1 can be sent, in 1 request")
  end)

  it("says when its rows cannot be written, and stops", function()
    link()
    local argv = { "read", "--from", "contacts", "--to", "companies", "--base-url", fixture.server:url(),
      file("ids.csv", "101\n") }
    local result = process.run(command.argv(argv, 'exec "$@" >/dev/full'), { env = command.environment() })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "standard output cannot be written: ")
  end)
end)
