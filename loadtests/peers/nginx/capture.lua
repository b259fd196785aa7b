-- Takes events into nginx's buffered log: inflated, decoded, looked at and their token checked, but not durable.
local cjson = require "cjson.safe"
local ffi = require "ffi"
local lrucache = require "resty.lrucache"
local redis = require "nginx.redis"

local HOST = "127.0.0.1"
local TOKEN_SECONDS = 5
local MOST_TOKENS = 10000
local REDIS_TIMEOUT_MS = 1000
local REDIS_IDLE_MS = 60000
local REDIS_CONNECTIONS = 16

local GZIP_WINDOW = 15 + 16
local MOST_INFLATED = 10 * 1024 * 1024
local FINISH, STREAM_END = 4, 1

ffi.cdef [[
typedef struct {
    const char *next_in; unsigned avail_in; unsigned long total_in;
    char *next_out; unsigned avail_out; unsigned long total_out;
    const char *message; void *state;
    void *allocate; void *free; void *opaque;
    int data_type; unsigned long adler; unsigned long reserved;
} z_stream;
const char *zlibVersion(void);
int inflateInit2_(z_stream *stream, int window, const char *version, int size);
int inflateReset(z_stream *stream);
int inflate(z_stream *stream, int flush);
]]

local zlib = ffi.load "libz.so.1"

-- One for each worker, which does one thing at a time: nothing is awaited between its reset and its end.
local stream = ffi.new "z_stream"
assert(zlib.inflateInit2_(stream, GZIP_WINDOW, zlib.zlibVersion(), ffi.sizeof(stream)) == 0)
local inflated = ffi.new("char[?]", MOST_INFLATED)

local projects = assert(lrucache.new(MOST_TOKENS))

local capture = {}

local function answer(status, body)
    ngx.status = status
    ngx.header.content_length = #body
    ngx.print(body)
end

local function refuse(status, detail)
    answer(status, cjson.encode { detail = detail })
end

local function inflate(body)
    zlib.inflateReset(stream)
    stream.next_in, stream.avail_in = body, #body
    stream.next_out, stream.avail_out = inflated, MOST_INFLATED
    if zlib.inflate(stream, FINISH) ~= STREAM_END or stream.avail_in > 0 then return nil end

    return ffi.string(inflated, MOST_INFLATED - stream.avail_out)
end

local function is_event(event)
    if type(event) ~= "table" then return false end

    local name, person = event.event, event.distinct_id
    return type(name) == "string" and name ~= "" and type(person) == "string" and person ~= ""
end

local function are_events(body)
    local batch = body.batch
    if batch == nil then return is_event(body) end
    if type(batch) ~= "table" or #batch == 0 then return false end

    for i = 1, #batch do
        if not is_event(batch[i]) then return false end
    end
    return true
end

-- The project, false when there is none, or nil when Redis does not say.
local function find_project(token)
    local project = projects:get(token)
    if project ~= nil then return project end

    local connection = redis:new()
    connection:set_timeout(REDIS_TIMEOUT_MS)
    if not connection:connect(HOST, capture.redis_port) then return nil end
    local found = connection:get("token:" .. token)
    if not found then return nil end
    connection:set_keepalive(REDIS_IDLE_MS, REDIS_CONNECTIONS)

    project = found ~= ngx.null and found
    projects:set(token, project, TOKEN_SECONDS)
    return project
end

function capture.handle()
    ngx.req.read_body()
    local bytes = ngx.req.get_body_data()
    if bytes and ngx.var.http_content_encoding == "gzip" then bytes = inflate(bytes) end
    local body = bytes and cjson.decode(bytes)
    if type(body) ~= "table" then return refuse(400, "The body is not gzip or not JSON.") end
    if type(body.api_key) ~= "string" then return refuse(401, "The body has no token.") end

    local project = find_project(body.api_key)
    if project == nil then return refuse(503, "Tokens cannot be checked now.") end
    if not project then return refuse(401, "The token is unknown.") end
    if not are_events(body) then return refuse(400, "An event has no name or no person.") end

    ngx.var.events_of = project
    answer(200, '{"status":"Ok"}')
end

return capture
