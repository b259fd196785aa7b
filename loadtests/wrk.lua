-- One and the same body, from a file, encoded as the second argument says if there is one; the figures on one line,
-- for Wrk.cs to read.
function init(args)
   local file = assert(io.open(args[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*a")
   wrk.headers["Content-Type"] = "application/json"
   wrk.headers["Content-Encoding"] = args[2]
   file:close()
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format("figures: %d requests %d us %d failed p50 %d us p99 %d us",
      summary.requests, summary.duration,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
