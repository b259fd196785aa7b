// Sends what an application would, with the unmodified SDK: node posthog-node.mjs HOST TOKEN
import { PostHog } from "posthog-node";

const [host, token] = process.argv.slice(2);
const errors = [];
const client = new PostHog(token, { host, flushAt: 50 });
client.on("error", (error) => errors.push(String(error)));

for (let i = 0; i < 1000; i++) {
  client.capture({ distinctId: `user-${i % 10}`, event: "node event", properties: { i, text: `Grüße ${i} 🎉` } });
}
client.identify({ distinctId: "user-1", properties: { email: "user-1@example.com" } });
client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { seats: 5 } });
client.capture({ distinctId: "user-1", event: "in a group", groups: { company: "acme" } });
await client.shutdown();

const historical = new PostHog(token, { host, historicalMigration: true, disableCompression: true });
historical.on("error", (error) => errors.push(String(error)));
historical.capture({ distinctId: "user-1", event: "long ago", timestamp: new Date("2021-03-04T05:06:07Z") });
await historical.shutdown();

console.log(JSON.stringify({ errors }));
