-- GET /account-info/…/details: which account a token is of. But for the hub id, it is invented.

local account = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function account.handle(call)
  return {
    status = 200,
    body = ('{"portalId":%.0f,"accountType":"DEVELOPER_TEST","timeZone":"US/Eastern","companyCurrency":"USD",'
      .. '"additionalCurrencies":[],"utcOffset":"-05:00","utcOffsetMilliseconds":-18000000,'
      .. '"uiDomain":"app.hubspot.com","dataHostingLocation":"na1"}'):format(call.settings.hub_id),
  }
end

return account
