// Parts of Element Plus whose own types know only their descriptions, not what they take, under our
// strict settings: here with the types that a template needs.
import { ElOption as Option, ElOptionGroup as OptionGroup, ElSelect as Select, ElTabPane as TabPane, ElTabs as Tabs } from "element-plus";
import type { Component } from "vue";

type Loose = Component<Record<string, unknown>>;
export const ElOption = Option as unknown as Loose;
export const ElOptionGroup = OptionGroup as unknown as Loose;
export const ElSelect = Select as unknown as Loose;
export const ElTabPane = TabPane as unknown as Loose;
export const ElTabs = Tabs as unknown as Loose;
