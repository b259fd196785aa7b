import { Alert, Button, Group, Select, Table, Text, TextInput, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client";
import { paths, useInvites } from "../../api/queries";
import type { Invite, MyOrganization } from "../../api/types";
import { browserZone, formatTime } from "../../format";
import { CopyBlock } from "../../parts/Copy";
import { FormBody } from "../../parts/FormBody";
import { Answered } from "../../parts/States";
import { useChange } from "../../parts/useChange";
import { useForm } from "../../parts/useForm";
import { levels } from "../../session";
import { levelChoices } from "./levelChoices";

/** No mail is sent: the link is shown once, to be passed on. */
export function Invites({ organization }: { organization: MyOrganization }) {
  const client = useQueryClient();
  const [made, setMade] = useState<Invite | null>(null);
  const form = useForm({ target_email: "", level: "1" });
  const keys = [["organization", organization.id, "invites"]];
  const path = `${paths.organization(organization.id)}invites/`;
  const withdraw = useChange((invite: Invite) => call("DELETE", `${path}${invite.id}/`), {
    keys,
    done: "The invite was withdrawn.",
  });

  async function invite({ target_email, level }: typeof form.fields) {
    setMade(await call<Invite>("POST", path, { body: { target_email, level: Number(level) } }));
    form.reset({ target_email: "", level });
    await client.invalidateQueries({ queryKey: keys[0] ?? [] });
  }

  return (
    <section className="card spaced" aria-label="Invites">
      <Title order={2} size="h4" mb="sm">
        Invite somebody
      </Title>
      <FormBody label="Invite somebody" problem={form.problem} onSubmit={() => form.submit(invite)}>
        <div className="controls">
          <TextInput
            className="grow"
            label="E-mail"
            type="email"
            {...form.text("target_email")}
          />
          <Select
            label="Level"
            data={levelChoices(organization.membership_level)}
            value={form.fields.level}
            onChange={(level) => level !== null && form.set("level", level)}
            allowDeselect={false}
            error={form.errorOf("level")}
            w={130}
          />
          <Button type="submit" loading={form.busy}>
            Make an invite
          </Button>
        </div>
      </FormBody>
      {made?.link !== undefined && (
        <Alert color="green" mt="md" role="status" title="Pass this link on" withCloseButton onClose={() => setMade(null)}>
          <Text size="sm" mb="xs" className="wrap">
            It is for {made.target_email}, is good for three days, and is shown this once. Whoever has it can join with
            that address: give it to nobody else.
          </Text>
          <CopyBlock text={consoleLink(made.link)} label="Invite link" />
        </Alert>
      )}
      <WaitingInvites organization={organization} onWithdraw={(waiting) => withdraw.mutate(waiting)} />
    </section>
  );
}

interface WaitingInvitesProps {
  organization: MyOrganization;
  onWithdraw: (invite: Invite) => void;
}

function WaitingInvites({ organization, onWithdraw }: WaitingInvitesProps) {
  const invites = useInvites(organization.id);
  return (
    <Answered query={invites}>
      {(waiting) =>
        waiting.length > 0 && (
          <div className="table-scroll spaced" role="region" aria-label="Waiting invites" tabIndex={0}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Invited</Table.Th>
                  <Table.Th>Level</Table.Th>
                  <Table.Th>Until</Table.Th>
                  <Table.Th>Change</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {waiting.map((invite) => (
                  <Table.Tr key={invite.id}>
                    <Table.Td className="wrap">{invite.target_email}</Table.Td>
                    <Table.Td>{levels[invite.level]}</Table.Td>
                    <Table.Td className="number">{formatTime(invite.expires_at, browserZone)}</Table.Td>
                    <Table.Td>
                      <Group>
                        <Button
                          size="compact-sm"
                          variant="subtle"
                          color="red"
                          aria-label={`Withdraw the invite of ${invite.target_email}`}
                          onClick={() => onWithdraw(invite)}
                        >
                          Withdraw
                        </Button>
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )
      }
    </Answered>
  );
}

/** The API gives the path at which it is accepted; people get the page that does so. */
function consoleLink(link: string): string {
  return `${window.location.origin}${link.replace(/^\/api\/invites\/([^/]+)\/?$/, "/invite/$1")}`;
}
