-- Writes the JSON of a BatchResponse, which all batch endpoints return.
-- It is put together from texts, because cjson 2.1 writes an empty list as {}.

local batch_response = {}

---@param status "COMPLETE"|"CANCELED"
---@param results string[] as JSON
---@param errors string[] as JSON
---@param date string ISO 8601
---@return string body
function batch_response.write(status, results, errors, date)
  local failures = ""
  if #errors > 0 then
    failures = string.format(',"numErrors":%d,"errors":[%s]', #errors, table.concat(errors, ","))
  end
  return table.concat {
    '{"status":"', status, '","results":[', table.concat(results, ","), "]", failures,
    ',"requestedAt":"', date, '","startedAt":"', date, '","completedAt":"', date, '"}',
  }
end

return batch_response
