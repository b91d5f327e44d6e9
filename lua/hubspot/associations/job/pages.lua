-- The pages of the records that a job reads: what is asked for next, and what on_record is given. A record
-- has a cursor of its own, and goes on in requests of its batch until its last page.

local rejection = require "hubspot.associations.api.rejection"
local api = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local matching = require "hubspot.associations.job.matching"

local pages = {}

---@class hubspot.associations.Page of a record: where its next page begins
---@field after string its cursor
---@field part integer how many pages were delivered
---@field trail hubspot.associations.Trail

---The request body of some inputs of a batch, each with the cursor of its next page.
---@param batch hubspot.associations.Batch
---@param positions integer[]
---@return string
function pages.json(batch, positions)
  local body, is_written = core.body(batch.kind.checks), {}
  for _, position in ipairs(positions) do
    local first, page = batch.body:first(position), batch.pages[position]
    if not is_written[first] then
      is_written[first] = true
      local input = core.decode(batch.body:input(position))
      if page then input.after = page.after end
      assert(body:add(input))
    end
  end
  return body:json()
end

-- The links of a result. A record without links has no result, but an error that says so. Nil where there may
-- be links that cannot be told: a result that has no `to` was never observed, and says nothing of them.
local function links_of(result)
  if result == nil then return {} end
  local links = result.to
  if links == nil or not api.is_list_of_objects(links) then return nil end
  for _, link in ipairs(links) do
    if type(link.toObjectId) ~= "string" or link.toObjectId == "" then return nil end
  end
  return links
end

-- What cannot be said of a record.
local function unclear(message)
  return errors.new { kind = "decode", message = message, retryable = false }
end

-- The first page of a record that has more than one.
local function first_page(batch, position)
  local input = core.decode(batch.body:input(position))
  return { part = 0, trail = api.trail(input.after) }
end

-- Calls on_record with a page. Returns what becomes of its record: "last", "more", "failed" and the error, or
-- "left" if the callback raised.
local function deliver(job, batch, position, result)
  local id, links = matching.id(batch.body, position), links_of(result)
  local page, cursor, err = batch.pages and batch.pages[position], nil, nil
  if result and result.paging ~= nil then
    page = page or first_page(batch, position)
    cursor, err = api.next_cursor(result, page.trail)
  end
  if not links then err = unclear "HubSpot gave links that are not a list of ids and types" end
  if cursor and not core.body(batch.kind.checks):add { id = id, after = cursor } then
    err = unclear "HubSpot gave a cursor that cannot be sent"
  end
  if err then return "failed", err end
  job:call(job.on_record, {
    index = batch:index(position),
    input = batch:input(position),
    id = id,
    links = links,
    part = page and page.part + 1 or 1,
    last = cursor == nil,
  })
  if job.callback_raised then return "left" end
  if not cursor then return "last" end
  page.after, page.part = cursor, page.part + 1
  batch.pages = batch.pages or {}
  batch.pages[position] = page
  return "more"
end

local function is_before(one, other) return one < other end

-- Whether an error names a record. (Here: none that was asked for.)
local function names_a_record(err)
  local named = rejection.named(err)
  return named ~= nil and (next(named.from) or next(named.to) or next(named.either)) ~= nil
end

-- Errors that name no record of the request were assigned to as many inputs. If some say "no associations"
-- and some do not, or if they name other records, which is whose would be a guess: these inputs are missing
-- in the response.
local function undo_guesses(matched)
  local guessed, empty, foreign = {}, 0, false
  for position, err in pairs(matched.failed) do
    if matched.is_final[position] == nil then
      guessed[#guessed + 1] = position
      if rejection.is_empty(err) then
        empty = empty + 1
        foreign = foreign or names_a_record(err)
      end
    end
  end
  if empty == 0 or empty == #guessed and not foreign then return end
  for _, position in ipairs(guessed) do
    matched.failed[position] = nil
    table.insert(matched.missing, position)
  end
  table.sort(matched.missing, is_before)
end

-- "No associations" is an error in HubSpot's response, and an empty list to a reader.
local function take_empty(matched)
  undo_guesses(matched)
  matched.batch_error = nil
  for _, err in ipairs(matched.anonymous or {}) do -- no input is at fault for "no associations"
    if not rejection.is_empty(err) then matched.batch_error = matched.batch_error or err end
  end
  for position, err in pairs(matched.failed) do
    if rejection.is_empty(err) then matched.succeeded[#matched.succeeded + 1] = position end
  end
  table.sort(matched.succeeded, is_before)
  for _, position in ipairs(matched.succeeded) do matched.failed[position] = nil end
end

---The errors of a response with "no associations" behind the others: of two errors about one record the first
---counts, and another may say why its links are not there.
---@param list table[]|nil
---@return table[]|nil
function pages.ordered_errors(list)
  local others, empty = {}, {}
  for _, err in ipairs(list or {}) do
    table.insert(type(err) == "table" and rejection.is_empty(err) and empty or others, err)
  end
  if #empty == 0 or #others == 0 then return list end
  for _, err in ipairs(empty) do others[#others + 1] = err end
  return others
end

---@class hubspot.associations.Delivered
---@field last integer[] positions whose record is complete
---@field more integer[] positions whose record has another page
---@field left integer[] positions that were not delivered, because the job has stopped
---@field failed table<integer, table> position -> error

---Gives on_record the page of each record in a response.
---@param job hubspot.associations.Job
---@param batch hubspot.associations.Batch
---@param matched hubspot.associations.Matched errors that say "no associations" leave its `failed`
---@return hubspot.associations.Delivered
function pages.deliver(job, batch, matched)
  take_empty(matched)
  local delivered = { last = {}, more = {}, left = {}, failed = {} }
  for _, position in ipairs(matched.succeeded) do
    local key, what, err = matching.key(batch.body, position), "left", nil
    if not job.error and matched.is_repeated[key] then
      err = unclear "HubSpot gave two results for the record"
    elseif not job.error then
      what, err = deliver(job, batch, position, matched.index[key])
    end
    if err then
      delivered.failed[position] = err
    else
      table.insert(delivered[what], position)
    end
  end
  return delivered
end

return pages
