---@meta hubspot.associations
-- For language servers: never loaded. Made by `make reference` from the annotations of the source.
-- luacheck: no max line length, no unused

---of `associations.new`
---@class hubspot.associations.Options
---required: an access token; or a function that returns one, or nil and a reason. It is called with `"first"`
---for the first request, and with `"unauthorized"` once after a 401
---@field token string|fun(reason: "first"|"unauthorized"): string|nil, string|nil
---the URL of the service; `http:` is only accepted for loopback addresses
---@field base_url string|nil
---the version of HubSpot's API, as it stands in the path: also `"2026-03"`, `"2026-09"`, `"v4"`
---@field version string|nil
---seconds for one request
---@field timeout number|nil
---seconds of these to connect
---@field connect_timeout number|nil
---attempts of one request, 1 to 1,000; those that end with a 429 do not count. With 1, nothing is tried again
---@field max_attempts integer|nil
---seconds for all attempts of one request together. If neither is given, a host that cannot be reached is
---tried for 5 seconds, until it was reached once
---@field retry_deadline number|nil
---requests of one job in flight, 1 to 100
---@field concurrency integer|nil
---inputs per request, 1 to 2,000; a read has 1,000 at most
---@field batch_size integer|nil
---whether strings have to spell record ids: 1 to 19 digits, the first of them not 0. With false, strings are
---sent as they are
---@field check_ids boolean|nil
---whether type ids that HubSpot's documentation lists for another direction are invalid, and not sent
---@field check_types boolean|nil
---requests per 10 seconds, 1 to 10,000, for when you know better; by default, what the response headers allow
---@field rate integer|nil
---what shares the rate limit with other processes
---@field budget hubspot.associations.Budget|nil
---URL, as libcurl's `CURLOPT_PROXY` takes it; by default, from the environment; not used for an `http:` URL
---@field proxy string|nil
---name of a file of certificates to trust instead, PEM; by default, from the environment, else libcurl's
---@field ca_file string|nil
---name of a directory of them, as `openssl rehash` prepares it; by default, from the environment, else
---libcurl's
---@field ca_path string|nil
---the newest version of HTTP to use; by default HTTP/2, if libcurl and the server can
---@field http_version "1.1"|"2"|nil
---appended to the module's own
---@field user_agent string|nil
---how to wait; by default, blocking
---@field loop hubspot.associations.Loop|nil
---told of each request and its end, for logs and metrics. What it raises costs no answer
---@field on_event fun(event: hubspot.associations.Event)|nil

---of a job
---@class hubspot.associations.JobOptions
---told of each input that was not created. Returning `false` ends the job
---@field on_failure fun(failure: hubspot.associations.Failure): boolean|nil
---told of each batch when all its inputs have an outcome. Without it, results are not decoded, which saves
---time. Returning `false` ends the job
---@field on_batch fun(batch: hubspot.associations.BatchReport): boolean|nil
---for `read_all` only, which needs it: told of each page of each record, and once of a record without links.
---Returning `false` ends the job
---@field on_record fun(page: hubspot.associations.RecordPage): boolean|nil
---file name: what is recorded there is not done again, what is done is recorded there
---@field journal string|nil
---called each time before the journal records what is done: what `on_record` wrote must not get lost from
---here on (fsync, commit). Returning `false` ends the job, and nothing is recorded
---@field before_journal fun(): boolean|nil
---read and check all inputs, send none of them, and open no journal
---@field dry_run boolean|nil
---read back what was written: what HubSpot does not show is `unconfirmed`. Of jobs that write
---@field verify boolean|nil
---the source names the records of the from side by this property, such as `email`, whose values are unique;
---they are looked up
---@field from_property string|nil
---the same of the to side
---@field to_property string|nil
---how many failures the report keeps when there is no `on_failure`
---@field max_failures integer|nil

---of `client:sync_all`
---@class hubspot.associations.SyncOptions
---`"add"` creates what is missing; `"mirror"` also removes what the source does not have, of the records that
---it names on its from side
---@field mode "add"|"mirror"|nil
---association types, as inputs have them: those that are compared and removed; by default, those that the
---source uses
---@field types any
---`"none"`: a row whose `to` is empty says that its record shall have no links
---@field empty "none"|nil
---file name: the plan is written there, and nothing is changed
---@field plan string|nil
---file name: that plan is done; there is no source
---@field apply string|nil
---a name of the account, such as its hub id: a plan that is written has it, and one that is applied and has
---another is refused
---@field account string|nil
---a number, or a percentage such as `"10%"` of the links that are compared: when more would be removed,
---nothing is changed. By default, the larger of 10 % and 100; with `apply`, any number
---@field max_removals integer|string|nil
---says where a row of the source is, such as in which line of a file, for `removals_off` and the plan; by
---default, its number is named
---@field row_place fun(index: integer): string|nil
---told of the plan before anything is changed. Returning `false` ends the sync
---@field on_plan fun(plan: hubspot.associations.SyncPlan): boolean|nil
---as in a job; also of removals
---@field on_failure fun(failure: hubspot.associations.Failure): boolean|nil
---as in a job: a second run goes on with the plan that the first one made
---@field journal string|nil
---read and compare, and change nothing
---@field dry_run boolean|nil
---as in a job
---@field from_property string|nil
---as in a job
---@field to_property string|nil
---as in a job
---@field max_failures integer|nil

---an input, or a removal of a sync, that did not succeed
---@class hubspot.associations.Failure
---position in the source; a removal has one with `apply` only: the line of the plan
---@field index integer|nil
---the caller's own; without `on_failure`, failures from an iterator have what was sent
---@field input any
---what became of it
---@field outcome "failed"|"unconfirmed"|"not_sent"
---why
---@field error hubspot.associations.Error
---of a removal
---@field action "remove"|nil
---of an input whose record of the from side was looked up
---@field from_id string|nil

---what `on_batch` is told
---@class hubspot.associations.BatchReport
---index in the source
---@field first integer
---index in the source
---@field last integer
---how many; a job of another endpoint has its outcome in this place: `archived`, `read`
---@field created integer|nil
---in place of `created`
---@field archived integer|nil
---in place of `created`
---@field read integer|nil
---those of the batch
---@field failures hubspot.associations.Failure[]
---those of HubSpot's responses; of `read_all`, it is empty: `on_record` has them
---@field results table[]
---so far
---@field report hubspot.associations.Report

---what `on_record` is told
---@class hubspot.associations.RecordPage
---position in the source
---@field index integer
---the caller's own
---@field input any
---of the record
---@field id string
---as HubSpot has them: `{ toObjectId, associationTypes }`
---@field links table[]
---which page it is, from 1
---@field part integer
---whether it is the last of the record
---@field last boolean

---what `on_plan` is told, in numbers
---@class hubspot.associations.SyncPlan
---rows that are to be created
---@field creations integer
---links that are to be removed
---@field removals integer
---what is there already
---@field kept integer
---rows that cannot be used
---@field failed integer
---records from which nothing is removed
---@field protected integer
---links that were compared
---@field in_scope integer
---why nothing is removed at all
---@field removals_off string|nil
---rows of the source
---@field inputs integer
---whether the plan is that of an earlier run
---@field resumed boolean

---of a collector
---@class hubspot.associations.CollectorOptions
---links without an outcome, 1 to 10,000,000: beyond them, `add` gives an error of kind `busy`. `link` waits
---in any case
---@field max_pending integer|nil
---seconds after which a link ends with an error of kind `timeout`
---@field timeout number|nil
---links in one request, 1 to 2,000; by default, `batch_size` of the client
---@field most integer|nil
---seconds that a link waits for others when nothing is in flight
---@field linger number|nil

---@class hubspot.associations.Loop
---returns when fd is readable, or after `timeout` seconds
---@field wait fun(fd: integer, timeout: number|nil)

---The methods of the endpoints: calls, of one request each; and jobs, with any number of inputs. A response
---with `errors` is a success as well: they say which inputs were not created, and why.
---@class hubspot.associations.Client
---links pairs `{ from, to, types }`
---@field create fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---links pairs `{ from, to }` by the unlabeled type
---@field create_default fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---removes all types of pairs `{ from, to }`; of 100 `from` at most
---@field archive fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---removes types of pairs `{ from, to, types }`
---@field archive_labels fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---reads the links of records, which are ids or `{ id, after }`; 1,000 at most
---@field read fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---reads the links of one record, a page; `options` are `after` and `limit` (500 at most)
---@field list fun(self, from: string, id: string|integer, to: string, options: { after: string?, limit: integer? }|nil): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---reads all links of one record, page by page: `{ results }`
---@field list_all fun(self, from: string, id: string|integer, to: string, options: { limit: integer? }|nil): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---links one pair
---@field put fun(self, from: string, id: string|integer, to: string, to_id: string|integer, types: hubspot.associations.Types): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---links one pair by the unlabeled type
---@field put_default fun(self, from: string, id: string|integer, to: string, to_id: string|integer): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---removes all types of one pair
---@field delete fun(self, from: string, id: string|integer, to: string, to_id: string|integer): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---lists the association types of a direction
---@field labels fun(self, from: string, to: string): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---makes a label in both directions: `{ name, label, inverseLabel }`. It is not sent again once HubSpot may
---have made it
---@field create_label fun(self, from: string, to: string, fields: { name: string, label: string, inverseLabel: string? }): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---renames one: `{ associationTypeId, label, inverseLabel }`
---@field update_label fun(self, from: string, to: string, fields: { associationTypeId: integer, label: string, inverseLabel: string? }): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---deletes one
---@field delete_label fun(self, from: string, to: string, type_id: integer): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---lists the account's limits on associations
---@field limits fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---lists those of a direction
---@field limits_between fun(self, from: string, to: string): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---sets limits `{ category, typeId, maxToObjectIds }`
---@field create_limits fun(self, from: string, to: string, inputs: table[]): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---changes them
---@field update_limits fun(self, from: string, to: string, inputs: table[]): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---removes limits `{ category, typeId }`
---@field delete_limits fun(self, from: string, to: string, inputs: table[]): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---lists the object types with records that are near a limit, or at it
---@field records_near_limit fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---lists, for records of one object type, what they have so many links to
---@field records_near_limit_to fun(self, from: string): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---says how near the number of labels is to its limit
---@field labels_near_limit fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---has HubSpot mail a report on records with many associations to that user
---@field usage_report fun(self, user_id: integer): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---reads records: `{ inputs, properties, idProperty }`, by their ids or a property
---@field read_objects fun(self, from: string, fields: { inputs: (string|integer)[], properties: string[]?, idProperty: string? }): hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---says which account a token is of
---@field account fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---says which app and user a private app's token is of, and its scopes
---@field token_info fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---links any number of pairs `{ from, to, types }`
---@field create_all fun(self, from: string, to: string, source: hubspot.associations.Source, options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---links any number of pairs `{ from, to }` by the unlabeled type
---@field create_default_all fun(self, from: string, to: string, source: hubspot.associations.Source, options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---removes all types of any number of pairs
---@field archive_all fun(self, from: string, to: string, source: hubspot.associations.Source, options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---removes types of any number of pairs `{ from, to, types }`
---@field archive_labels_all fun(self, from: string, to: string, source: hubspot.associations.Source, options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---reads the links of any number of records; `on_record` is given them
---@field read_all fun(self, from: string, to: string, source: hubspot.associations.Source, options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
local Client = {}

---Begins a job of an endpoint with any number of inputs, for a host that steps it.
---@param endpoint string "create", "create_default", "archive", "archive_labels" or "read"; or "sync", which takes the arguments of sync_all. It may be left out where the third argument is the source: then it is "create"
---@param from_object_type string
---@param to_object_type string
---@param source hubspot.associations.Source
---@param given hubspot.associations.JobOptions|nil
---@return hubspot.associations.Runner|nil
---@return hubspot.associations.Error|nil
function Client:start(endpoint, from_object_type, to_object_type, source, given) end

---Makes a collector, which links pairs one at a time, and sends together those that come at the same time.
---@param from_object_type string
---@param to_object_type string
---@param given hubspot.associations.CollectorOptions|nil
---@return hubspot.associations.Collector|nil
---@return hubspot.associations.Error|nil
function Client:collector(from_object_type, to_object_type, given) end

---Links a pair, together with others that are linked at the same time, and waits until that has its outcome.
---@param from_object_type string
---@param to_object_type string
---@param input table { from, to, types }
---@return true|nil
---@return hubspot.associations.Error|nil
function Client:link(from_object_type, to_object_type, input) end

---Drains a queue (redis.queue): runs jobs of what is in it, and removes what has its outcome.
---@param queue hubspot.associations.SharedQueue
---@param given hubspot.associations.WorkOptions|nil
---@return hubspot.associations.WorkReport
---@return hubspot.associations.Error|nil why it ended early
function Client:work(queue, given) end

---Where requests go, and through which proxy, and which certificates are trusted: for people, without the
---proxy's user and password. Sends nothing.
---@return hubspot.associations.Connection
function Client:connection() end

---Makes HubSpot look like the source: reads it to its end, compares it with what is there, and makes the
---difference. Nothing is changed before the whole plan is known. Blocks for sort(1): for scripts.
---@param from_object_type string
---@param to_object_type string
---@param source hubspot.associations.Source|nil as that of create_all; nil with the option `apply`
---@param given hubspot.associations.SyncOptions|nil
---@return hubspot.associations.SyncReport|nil
---@return hubspot.associations.Error|nil
function Client:sync_all(from_object_type, to_object_type, source, given) end

---Ends the client's connections. Calls in other coroutines fail with kind `closed`. A client that is
---collected, or goes out of scope as `local client <close>`, is closed as well.
function Client:close() end

---a string of digits, or a whole number
---@alias hubspot.associations.Id string|integer|{ id: string }

---an integer is a type of category HUBSPOT_DEFINED; a string is a name: `"primary"`, `"contact_to_company"`,
---or a label of the account
---@alias hubspot.associations.Type integer|string|{ associationCategory: string, associationTypeId: integer }

---@alias hubspot.associations.Types hubspot.associations.Type|hubspot.associations.Type[]

---1 to `batch_size` of them; the list itself must be no proxy
---@alias hubspot.associations.Inputs (hubspot.associations.Input|hubspot.associations.Id)[]

---a list, which must not change meanwhile, or an iterator, which returns a new table each time, and nil at
---the end
---@alias hubspot.associations.Source hubspot.associations.Inputs|fun(): any, any

---other fields are ignored; it may be a proxy, whose `__index` must not yield
---@class hubspot.associations.Input
---@field from hubspot.associations.Id
---@field to hubspot.associations.Id
---@field types hubspot.associations.Types|nil

---HubSpot's response to a batch, with HubSpot's field names
---@class hubspot.associations.BatchResponse
---"COMPLETE", "PENDING", "PROCESSING", "CANCELED"
---@field status string
---what was created: { fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId, labels }
---@field results table[]
---what was not created: { status, category, message, context, … }
---@field errors table[]|nil
---how many inputs it counts as failed
---@field numErrors integer|nil
---when HubSpot began
---@field startedAt string
---when it was done
---@field completedAt string
---@field requestedAt string|nil
---@field links table<string, string>|nil

---@class hubspot.associations.RateLimit
---requests per interval
---@field max number|nil
---requests left in the interval
---@field remaining number|nil
---seconds
---@field interval number|nil
---requests per day
---@field daily number|nil
---requests left in the day
---@field daily_remaining number|nil
---requests per second
---@field secondly number|nil
---requests left in the second
---@field secondly_remaining number|nil

---what a call returns together with its result
---@class hubspot.associations.CallInfo
---200, 201, 207, …
---@field status integer
---how often the request was sent
---@field attempts integer
---seconds
---@field elapsed number
---HubSpot's support asks for it
---@field correlation_id string|nil
---from the response headers
---@field rate_limit hubspot.associations.RateLimit|nil
---such as `"2"`
---@field http_version string
---what `on_event` raised
---@field event_error any

---where the requests of a client go, and through what; no secret
---@class hubspot.associations.Connection
---that of the option
---@field base_url string
---of the API
---@field version string
---without user and password; nil when there is none, or it cannot be used
---@field proxy string|nil
---the option or environment variable that names it
---@field proxy_origin string|nil
---why it cannot be used
---@field proxy_problem string|nil
---the certificates to trust in place of libcurl's default
---@field ca_file string|nil
---the same as a directory
---@field ca_path string|nil
---the option or environment variable that names them
---@field ca_origin string|nil
---why they cannot be used
---@field ca_problem string|nil

---what `on_event` is told
---@class hubspot.associations.Event
---`failure`: no response came; `budget`: a shared budget is away, is back, or has a lower rate than this
---process gave
---@field type "request"|"response"|"failure"|"wait"|"retry"|"budget"
---of all but `wait` and `budget`
---@field attempt integer|nil
---of `request`, `response` and `failure`
---@field method string|nil
---of `request`, `response` and `failure`
---@field url string|nil
---of `request` and `response`: of the body
---@field bytes integer|nil
---of `response`
---@field status integer|nil
---of `response` and `failure`: seconds
---@field elapsed number|nil
---of `response`
---@field http_version string|nil
---of `response`
---@field correlation_id string|nil
---of `response`
---@field rate_limit hubspot.associations.RateLimit|nil
---of `response`: when it was sent, by the server's clock, in seconds since 1970
---@field date number|nil
---of `failure` and `retry`
---@field kind string|nil
---of `failure`
---@field message string|nil
---of `wait`: seconds until the rate limit lets a request pass; of `retry`: until the next attempt
---@field delay number|nil
---of `budget`
---@field state "alone"|"shared"|"lowered"|nil
---of `budget`: requests that may be sent within `interval`
---@field limit integer|nil
---of `budget`: seconds
---@field interval number|nil
---of `budget` that is not away: how many share it
---@field processes integer|nil
---of `budget` that is away: why
---@field error hubspot.associations.Error|nil

---@class hubspot.associations.Report
---how many inputs of the source were read, or are known of
---@field inputs integer
---HubSpot confirmed them; a job of another endpoint has its outcome in this place
---@field created integer
---in place of `created`: HubSpot accepted the request; its response lists nothing
---@field archived integer|nil
---in place of `created`
---@field read integer|nil
---rejected by HubSpot, or invalid and not sent
---@field failed integer
---sent, but HubSpot neither listed nor rejected them, or (with `verify`) does not show them
---@field unconfirmed integer
---the job stopped first; in a dry run, those that would be sent
---@field not_sent integer
---how many of the inputs have their outcome from the journal
---@field resumed integer
---how many were sent; in a dry run, how many the job would begin with
---@field requests integer
---how many requests looked up records, beside `requests`; of a job with look-ups
---@field look_ups integer|nil
---how many of the requests repeated an earlier one
---@field retries integer
---seconds
---@field elapsed number
---ordered within each batch only; nil when `on_failure` was given them
---@field failures hubspot.associations.Failure[]|nil
---how many were beyond `max_failures`
---@field failures_dropped integer|nil
---what `on_event` raised last
---@field event_error any

---@class hubspot.associations.Runner
local Runner = {}

---Does what can be done now, and never waits. Raises when memory runs out.
---@return boolean done
function Runner:step() end

---A descriptor that is readable whenever `step` has something to do, also at the end of a wait. All runners
---of a client have the same one, and each is to be stepped when it is readable.
---@return integer fd -1 once the client is closed and its runners are done
function Runner:fd() end

---How many seconds `step` has nothing to do, unless the descriptor is readable sooner; nil: until then.
---@return number|nil
function Runner:timeout() end

---How many seconds nothing can be sent, while no response is awaited either; else 0. And the reason: the rate
---limit, the pause before what was written is read back, or the one before another attempt.
---@return number
---@return "rate_limit"|"verify"|"retry"|nil
function Runner:waiting() end

---The report so far.
---@return hubspot.associations.Report
function Runner:progress() end

---@return boolean
function Runner:done() end

---What create_all returns, once the job is done; nil before.
---@return hubspot.associations.Report|nil
---@return hubspot.associations.Error|nil
function Runner:result() end

---Ends the job early. Requests in flight still complete: go on stepping until it is done.
function Runner:cancel() end

---@class hubspot.associations.SyncReport
---what it does now
---@field phase "reading"|"comparing"|"creating"|"removing"|"done"
---rows of the source; or lines of an applied plan that create
---@field inputs integer
---links that are to be removed, and unlabeled types that are kept instead
---@field removals integer
---there already; and unlabeled types that are kept, as their pair keeps another
---@field kept integer
---rows whose types HubSpot confirmed
---@field created integer
---HubSpot accepted the removal, or the link was gone already
---@field removed integer
---as in a job
---@field failed integer
---as in a job
---@field unconfirmed integer
---as in a job
---@field not_sent integer
---how many of them have their outcome from the journal
---@field resumed integer
---records of which nothing is removed, as they have a row that is doubtful
---@field protected integer
---why nothing is removed at all
---@field removals_off string|nil
---what the plan says
---@field planned hubspot.associations.SyncPlan|nil
---records that were read and compared
---@field compared integer
---all of them, look-ups included
---@field requests integer
---those that read again before a change
---@field reads_again integer
---those that repeated an earlier one
---@field retries integer
---seconds
---@field elapsed number
---nil when `on_failure` was given them
---@field failures hubspot.associations.Failure[]|nil
---how many were beyond `max_failures`
---@field failures_dropped integer|nil
---what `on_event` raised last
---@field event_error any

---@class hubspot.associations.SyncRunner
local SyncRunner = {}

---Does what can be done now. Blocks only for sort(1), and for the disk.
---@return boolean done
function SyncRunner:step() end

---@return integer fd
function SyncRunner:fd() end

---@return number|nil
function SyncRunner:timeout() end

---@return number
---@return "rate_limit"|"retry"|nil
function SyncRunner:waiting() end

---The report so far.
---@return hubspot.associations.SyncReport
function SyncRunner:progress() end

---@return boolean
function SyncRunner:done() end

---@return hubspot.associations.SyncReport|nil
---@return hubspot.associations.Error|nil
function SyncRunner:result() end

---Ends the sync early. Requests in flight still complete: go on stepping until it is done.
function SyncRunner:cancel() end

---what `client:collector` returns: links of one pair of object types
---@class hubspot.associations.Collector
local Collector = {}

---Does what can be done now, and never waits. Returns whether no link waits for its outcome.
---@return boolean
function Collector:step() end

---Links a pair, and waits until that has its outcome.
---@param input hubspot.associations.Input
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:link(input) end

---Takes a link, and returns at once; `nil, err` when the input is invalid, or of kind `busy`. What `link`
---would return is given to `callback`, once, in a later step; it must not yield.
---@param input hubspot.associations.Input
---@param callback nil|fun(linked: true|nil, err: hubspot.associations.Error|nil)
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:add(input, callback) end

---Waits until all links that were given so far have their outcome; `nil, err`, of kind `callback`, when a
---callback has raised.
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:flush() end

---How many links have no outcome yet.
---@return integer
function Collector:pending() end

---Takes no more links, and waits as `flush` does; or, with `{ now = true }`, ends those without an outcome by
---an error of kind `closed`.
---@param given { now: boolean|nil }|nil
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:close(given) end

---The descriptor that is readable when `step` has something to do; -1 once the client is closed. It is the
---client's.
---@return integer
function Collector:fd() end

---Seconds after which to step at the latest; nil: when the descriptor is readable.
---@return number|nil
function Collector:timeout() end

---what `redis.budget` returns, for the option `budget` of a client
---@class hubspot.associations.Budget

---what `redis.queue` returns
---@class hubspot.associations.SharedQueue

---of `client:work`
---@class hubspot.associations.WorkOptions
---a name of the token's account, such as its hub id: a queue that a worker of another account has begun to
---drain is refused, unless there is nothing in it
---@field account string|nil
---whether to return when the queue is empty; by default, it goes on
---@field until_empty boolean|nil
---asked twice a second: true ends the work, after the requests in flight
---@field stop (fun(): boolean)|nil
---seconds between two looks at an empty queue, 0.2
---@field poll number|nil
---told of a failure that may pass, and when it goes on
---@field on_error (fun(err: table, delay: number))|nil

---what `client:work` returns
---@class hubspot.associations.WorkReport
---entries that have the endpoint's own outcome, and are removed
---@field done integer
---entries, which are dead letters now
---@field failed integer
---that were sent
---@field requests integer
---seconds that it took
---@field elapsed number

---@class hubspot.associations.Error
---which of the kinds it is
---@field kind string
---what was wrong; in HubSpot's own words where it has any
---@field message string
---the HTTP status
---@field status integer|nil
---HubSpot's own, where it sends it; so are the next eight
---@field category string|nil
---@field subCategory any
---HubSpot's support asks for it
---@field correlationId string|nil
---@field context table<string, string[]>|nil
---HubSpot's details; of `invalid_input` from a call with inputs: the errors of the first 100 invalid inputs
---@field errors table|nil
---@field links table<string, string>|nil
---which limit was reached
---@field policyName string|nil
---@field groupName string|nil
---@field errorType string|nil
---of a rejection: all that HubSpot sent, decoded; the beginning of it when it is not JSON, or above 64 KiB
---@field body any
---how often the request was sent
---@field attempts integer|nil
---seconds that a call took
---@field elapsed number|nil
---what the response headers say of the rate limit
---@field rate_limit hubspot.associations.RateLimit|nil
---true when the same request may succeed later
---@field retryable boolean|nil
---seconds that HubSpot asks to wait
---@field retry_after number|nil
---the same as a time, in seconds since 1970
---@field retry_at number|nil
---of an input: its position in the list or the source
---@field index integer|nil
---of an input: what in it is at fault, such as `"from.id"`
---@field field string|nil
---of an invalid id: what it looks like and what to do; the same text for each id with that flaw
---@field flaw string|nil
---of `invalid_input` from a call with inputs: how many inputs are invalid
---@field count integer|nil
---of an input that was rejected only with others: how many they are; any of them may be at fault
---@field together integer|nil
---of `journal`: `"other_job"`, `"other_file"`, `"in_use"` or `"damaged"`; of `http`: `"object_type"` when
---HubSpot does not know one of the path; of `network`: `"proxy"` when the URL of the proxy cannot be used
---@field reason string|nil
---of a look-up: the value by which an input names a record
---@field value string|nil
---of a look-up: the property of that value
---@field property string|nil
---of a link: true when HubSpot may have done it although no response says so
---@field may_be_done boolean|nil
---of `network`, `timeout`, `tls` and `closed`: false when nothing of the request was sent, in any attempt, or
---the server says that it processed nothing of it (HTTP/2's REFUSED_STREAM and GOAWAY)
---@field sent boolean|nil
---of `network`, `timeout` and `tls`: libcurl's code
---@field curl_code integer|nil
---of `network`: the status with which a proxy refused the connection
---@field proxy_status integer|nil
---of `network`: why a SOCKS proxy refused the connection, as libcurl's `CURLproxycode`
---@field proxy_code integer|nil
---"Redis" where the failure is not HubSpot's
---@field service string|nil
---of `redis`: the first word of Redis's error, e.g. `"OOM"`
---@field code string|nil
---of a pipeline to Redis whose connection ended: the replies that had come
---@field replies any[]|nil
---of `token`: the 401 after which the token function was asked for another token and gave none
---@field cause hubspot.associations.Error|nil
---what `on_event` raised
---@field event_error any

local associations = {}

---The module's version.
---@type string
associations.VERSION = ""

---Makes a client for one HubSpot account. Sends nothing. Raises if an option is unknown or wrong; returns nil
---and an error if there is no usable token.
---@param given hubspot.associations.Options
---@return hubspot.associations.Client|nil
---@return hubspot.associations.Error|nil
function associations.new(given) end

---Returns its arguments, as `assert` does; or raises the error as a string when the value is nil or false.
---Lua 5.1's `assert` takes no table, and nginx shows an uncaught table as "unknown reason".
---@generic T
---@param ... T|nil|false the value, then the error; or more values
---@return T ... all arguments
function associations.check(...) end

return associations
