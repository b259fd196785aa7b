-- One and the same event, posted with the token given; the figures on one line, for Wrk.cs to read.
function init(args)
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   wrk.body = '{"api_key":"' .. args[1] .. '","event":"$pageview","distinct_id":"user-1",'
      .. '"uuid":"0199a3b4-6d3e-7c6b-9a55-0c7f3b0d3a11","timestamp":"2026-01-01T12:00:00.000Z",'
      .. '"properties":{"$lib":"web","$browser":"Chrome","$current_url":"https://shop.example/products/7"}}'
end

function done(summary, latency, requests)
   local errors = summary.errors
   print(string.format("figures: %d requests %d us %d failed",
      summary.requests, summary.duration,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
