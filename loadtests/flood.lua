-- Bodies from a file, in turn; the figures on one line, for Flood.cs to read. The file: for each body its length in
-- four bytes, least first, and the body.
local bodies = {}
local count = 0
local at = 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   while true do
      local length = file:read(4)
      if not length then break end
      local a, b, c, d = length:byte(1, 4)
      local body = file:read(a + b * 256 + c * 65536 + d * 16777216)
      local headers = { ["Content-Type"] = "application/json" }
      if body:sub(1, 2) == "\31\139" then headers["Content-Encoding"] = "gzip" end
      count = count + 1
      bodies[count] = wrk.format("POST", nil, headers, body)
   end
   file:close()
end

function request()
   at = at % count + 1
   return bodies[at]
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format("figures: %d requests %d us %d refused %d failed",
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
