-- Checks completion.lua in the shells themselves: what each suggests, and that it has all options.

local arguments = require "hubspot.associations.cli.arguments"
local command = require "support.command"
local process = require "support.process"

local unpack = rawget(_G, "unpack") or table.unpack

local CLEAN = { LD_PRELOAD = false, LUA_INIT = false }

local function is_there(shell)
  return process.run({ "sh", "-c", "command -v " .. shell }, { env = CLEAN }).code == 0
end

local function run(argv)
  local result = process.run(argv, { env = CLEAN })
  assert(result.code == 0, result.stderr)
  return result.stdout
end

local function words_of(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  table.sort(list)
  return table.concat(list, " ")
end

-- A zsh in a terminal of its own, in which Tab is pressed, and then a key that shows the line.
local ZSH = [[
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell "show() { print -r -- \"<\$BUFFER>\" }; zle -N show; bindkey '^X' show; PS1='READ''Y'"
zpty -r shell out '*READY*'
zpty -w -n shell "hubspot-associations $2"$'\t\C-x'
zpty -r shell out '*<*>*'
print -r -- "$out"
zpty -d shell
]]

-- By shell: what it suggests for the last of the words.
local SUGGESTED = {
  bash = function(folder, words)
    return words_of(run { "bash", "--norc", "-c", [[
      source "$0"
      COMP_WORDS=(hubspot-associations "$@" "")
      [ "${*: -1}" = "" ] || unset "COMP_WORDS[-1]"
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      COMPREPLY=()
      _hubspot-associations
      printf '%s\n' "${COMPREPLY[@]}"]], folder .. "/bash", unpack(words) })
  end,
  fish = function(folder, words)
    local text = run { "env", "HOME=" .. folder, "fish", "--no-config", "-c",
      'source $argv[1]; complete -C $argv[2]', folder .. "/fish",
      "hubspot-associations " .. table.concat(words, " ") }
    return words_of((text:gsub("\t[^\n]*", "")))
  end,
  zsh = function(folder, words)
    local text = run { "timeout", "20", "env", "HOME=" .. folder, "zsh", "-f", "-c", ZSH, "zsh",
      folder .. "/functions", table.concat(words, " ") }
    return text:match "<hubspot%-associations (.-) ?>" or text
  end,
}

describe("the completions", function()
  local folder
  local script = {}

  setup(function()
    folder = process.make_folder()
    process.run { "mkdir", folder .. "/functions" }
    for shell in pairs(SUGGESTED) do
      local result = command.run { "--completion", shell }
      assert.same({ 0, "" }, { result.code, result.stderr })
      script[shell] = result.stdout
      process.write_file(folder .. "/" .. shell, result.stdout)
    end
    process.write_file(folder .. "/functions/_hubspot-associations", script.zsh)
  end)

  teardown(function() process.remove_folder(folder) end)

  -- Words, and what is suggested for the last of them. Zsh completes the line, where there is one suggestion.
  local CASES = {
    { { "doc" }, "doctor", zsh = "doctor" },
    { { "create" }, "create create-default" },
    { { "create", "--ty" }, "--type --type-column" },
    { { "create-default", "--ty" }, "" },
    { { "create", "--form" }, "--format", zsh = "create --format" },
    { { "create", "--format", "js" }, "jsonl", zsh = "create --format jsonl" },
    { { "create", "--from", "compa" }, "companies", zsh = "create --from companies" },
    { { "sandbox", "--visible" }, "--visible-after", zsh = "sandbox --visible-after" },
    { { "create", "--versi" }, "", zsh = "create --versi" },
    { { "--versi" }, "--version", zsh = "--version" },
  }

  for shell, suggested in pairs(SUGGESTED) do
    it("of " .. shell .. " suggest what fits", function()
      if not is_there(shell) then pending("no " .. shell) end
      for _, case in ipairs(CASES) do
        local expected = case[2]
        if shell == "zsh" then expected = case.zsh end
        if expected then
          assert.equal(expected, suggested(folder, case[1]), shell .. ": " .. table.concat(case[1], " "))
        end
      end
    end)

    it("of " .. shell .. " have all commands and options", function()
      for _, one in ipairs(arguments.table().commands) do
        assert.truthy(script[shell]:find(one.name, 1, true), one.name)
        for _, row in ipairs(one.flags) do
          for name in row.name:gmatch "%S+" do
            local written = shell == "fish" and name:gsub("^%-%-", "-l "):gsub("^%-(%a)$", "-s %1") or name
            assert.truthy(row.never or script[shell]:find(written, 1, true), name)
          end
        end
      end
    end)

    it("of " .. shell .. " have no mistake that the shell finds", function()
      if not is_there(shell) then pending("no " .. shell) end
      assert.equal("", run { shell, "-n", folder .. "/" .. shell })
    end)
  end
end)
