// The icons of the menu, by the names that area.json uses.
import {
  Bell, Calendar, ChatDotRound, Checked, CircleCheck, Collection, Connection, DataAnalysis, DataBoard,
  DataLine, Document, Files, Headset, List, Location, MapLocation, Monitor, Notebook, OfficeBuilding, Odometer,
  Operation, Phone, PhoneFilled, Postcard, Promotion, Reading, Search, Setting, Stamp, Tickets, Timer, User, View, Warning,
} from "@element-plus/icons-vue";
import type { Component } from "vue";

export const ICONS: Record<string, Component> = {
  Bell, Calendar, ChatDotRound, Checked, CircleCheck, Collection, Connection, DataAnalysis, DataBoard,
  DataLine, Document, Files, Headset, List, Location, MapLocation, Monitor, Notebook, OfficeBuilding, Odometer,
  Operation, Phone, PhoneFilled, Postcard, Promotion, Reading, Search, Setting, Stamp, Tickets, Timer, User, View, Warning,
};
