import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import {
  IconBuildingPlus,
  IconDeviceDesktop,
  IconKey,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
  IconUserCircle,
} from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { signOut } from "../api/signOut";
import { useSignedIn } from "../session";
import { NewOrganization } from "./NewOrganization";

export function AccountMenu() {
  const me = useSignedIn();
  const client = useQueryClient();
  const [, go] = useLocation();
  const [isMaking, setMaking] = useState(false);
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });

  async function leave() {
    if (await signOut(client)) go("/sign-in");
  }

  const schemes = [
    { value: "light", label: "Light", icon: IconSun },
    { value: "dark", label: "Dark", icon: IconMoon },
    { value: "auto", label: "As the system", icon: IconDeviceDesktop },
  ] as const;
  return (
    <>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Your menu, ${me.email}`}>
            <IconUserCircle size={24} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label className="wrap">{me.email}</Menu.Label>
          <Menu.Item leftSection={<IconUser size={16} aria-hidden />} onClick={() => go("/account")}>
            Account
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => go("/account/keys")}>
            Personal API keys
          </Menu.Item>
          <Menu.Item leftSection={<IconBuildingPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
            New organization
          </Menu.Item>
          <Menu.Divider />
          <Menu.Label>Colours</Menu.Label>
          {schemes.map(({ value, label, icon: Icon }) => (
            <Menu.Item
              key={value}
              leftSection={<Icon size={16} aria-hidden />}
              onClick={() => setColorScheme(value)}
              rightSection={colorScheme === value ? "✓" : undefined}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void leave()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <NewOrganization opened={isMaking} onClose={() => setMaking(false)} />
    </>
  );
}
