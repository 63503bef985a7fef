"""A session that only pretends: a real topology, plausible arrays that are a pure function of (seed, tick)."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from twin.catalog.loader import load_catalog
from twin.engine.alarms import ActiveAlarm
from twin.engine.faults import ActiveFault
from twin.runtime.frame import Frame
from twin.site.floorplan import build_floor
from twin.site.site import Site
from twin.site.spec import CoolingUnitsSpec, EventSpec, HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology
from twin.state.blocks import BLOCKS
from twin.wiring import Command, Event, FaultKind, Setting

S = 1_000_000_000


def make_site(halls: int = 1, liquid_rows: int = 4, air_rows: int = 2, racks: int = 16) -> Site:
    """Build a site: a real topology, everything else only names and the few arrays that screens read."""
    rows = [RowSpec(racks=racks, rack="gb200-nvl72", repeat=liquid_rows)]
    if air_rows:
        rows.append(RowSpec(racks=racks, rack="hgx-h100-x4", repeat=air_rows))
    crah = CoolingUnitsSpec(type="crah-350kw", count=10, spare=1)
    spec = Spec(scenario=ScenarioSpec(title="One hall, an hour, two failures", start="2026-07-15T13:00:00-05:00"),
                hall=[HallSpec(name="A", row=rows, repeat=halls, crah=crah)],
                event=[EventSpec(at=600 * S, fault="cdu_pump_trip", target="A2.cdu1.pumpA"),
                       EventSpec(at=1800 * S, fault="crah_fan_trip", target="A.crah4")])
    topology = build_topology(spec, load_catalog())
    names: dict[str, Any] = dict(topology.names)
    row_of = names["row"]
    is_liquid = {row_of[int(topology.rack_row[r])] for r in topology.stream_rack[topology.stream_is_air == 0]}
    names["cdu"] = [f"{row}.cdu{k}" for row in row_of if row in is_liquid for k in (1, 2, 3)]
    names["pump"] = [f"{cdu}.pump{x}" for cdu in names["cdu"] for x in "AB"]
    names["tcs"] = [row for row in row_of if row in is_liquid]
    names["loop"], names["rejector"] = ["warm", "chilled"], ["warm.dry", "warm.tower"]
    names["chiller"] = ["chilled.chillers"]
    names["job"] = ["pretrain", "chat", "finetune", "eval", "batch-17", "later"]
    leaves, planes = 16, 8
    ends = [(f"leaf{a + 1}", f"spine{b + 1}") for a in range(leaves) for b in range(planes)]
    names["link"] = [f"{a}-{b}" for a, b in ends] + [f"{b}-{a}" for a, b in ends]
    names["switch"] = [f"leaf{i + 1}" for i in range(leaves)] + [f"spine{i + 1}" for i in range(planes)]
    electrical = make_tree(names, row_of, names["hall"])
    fabric = SimpleNamespace(leaf_spine_link=np.arange(leaves * planes).reshape(leaves, planes),
                             leaf_rail=np.repeat(np.arange(4), 4), tiers=SimpleNamespace(rails=4, leaves=4))
    floor = build_floor(spec, load_catalog(), topology, SimpleNamespace(names=names))
    names |= floor.names
    axes = {axis: len(members) for axis, members in names.items()} | {"one": 1, "cell": int(floor.hall_cell_ptr[-1])}
    return Site(spec=spec, topology=topology, hydronics=SimpleNamespace(cdu_loop=np.zeros(len(names["cdu"]), int)),
                floor=floor, electrical=electrical, fabric=fabric,
                jobs=None, climate=None, axes=axes, names=names, start_unix_ns=1_784_138_400 * S, utc_offset_s=-18_000,
                catalog=None)


def make_tree(names: dict[str, Any], rows: list[str], halls: list[str]) -> Any:
    """Build a small power tree: utility, mains, and two paths for each hall."""
    labels, parent = ["utility", "mains"], [-1, 0]
    ups = []
    for hall in halls:
        prefix = f"{hall}." if len(halls) > 1 else ""
        for path in "AB":
            labels.append(f"{prefix}tx-{path}")
            parent.append(1)
            labels.append(f"{prefix}ups-{path}.bus")
            parent.append(len(labels) - 2)
            ups.append(len(labels) - 1)
            labels.append(f"{hall}.bus{path}")
            parent.append(len(labels) - 2)
            bus = len(labels) - 1
            for row in (r for r in rows if r.startswith(hall)):
                labels.append(f"{row}.feed{path}")
                parent.append(bus)
    for path in "AB":
        labels.append(f"tx-plant{path}")
        parent.append(1)
    names["elec"], names["generator"] = labels, ["gen1", "gen2"]
    names["ups"] = [labels[i].removesuffix(".bus") for i in ups]
    n = len(labels)
    return SimpleNamespace(elec_parent=np.array(parent), elec_units=np.ones(n, int), elec_rating_w=np.full(n, 15e6),
                           ups_elec=np.array(ups), ups_battery_j=np.full(len(ups), 1e9), generators=2)


def noise(n: int, seed: int) -> np.ndarray:
    """Return n numbers in 0..1 that depend on nothing but (n, seed)."""
    return np.random.default_rng(seed).random(n)


class FakeHistory:
    """Histories that are a pure function of the time."""

    def __init__(self, now_ns: int, values: dict[str, np.ndarray]) -> None:
        self.now_ns, self.values = now_ns, values

    def series(self, name: str, index: int = 0, points: int = 200) -> tuple[np.ndarray, ...]:
        """Return (t s, min, mean, max)."""
        if name not in self.values:
            raise KeyError(name)
        seconds = self.now_ns / S
        t = np.linspace(0, seconds, min(points, max(2, int(seconds))))
        base = float(self.values[name][index])
        wave = 1 + 0.06 * np.sin(t / 170) + 0.02 * np.sin(t / 13) - 0.05 * np.exp(-t / 400)
        mean = base * wave / wave[-1]
        spread = abs(base) * (0.004 + 0.03 * (np.sin(t / 300) > 0.6))
        return t, mean - spread, mean, mean + spread


class FakeSession:
    """Implements what the screens use of a Session."""

    def __init__(self, site: Site | None = None, now_s: int = 1447, **scene: Any) -> None:
        self.site = site or make_site()
        self.spec, self.title = self.site.spec, "demo · One hall, an hour, two failures"
        self.endless = False
        self.scene = scene
        self.tick, self.version, self.paused, self.speed = now_s, 1, True, 10.0
        self.sent: list[Command] = []
        self.calls: list[str] = []
        self._made: tuple[Any, Frame] | None = None

    def fault_kinds(self) -> list[FaultKind]:
        """Return three faults."""
        def nothing(*_: Any) -> None:
            return None
        return [FaultKind("cdu_pump_trip", "pump", "The pump stops; the other one takes over.", nothing, nothing),
                FaultKind("crah_fan_trip", "crah", "The fan stops; its share of the air is missing.", nothing, nothing),
                FaultKind("link_degrade", "link", "The link keeps a share of its capacity.", nothing, nothing,
                          "share of the capacity that is left", 0.5, (0.0, 1.0))]

    def settings(self) -> list[Setting]:
        """Return one set-point."""
        return [Setting("supply_c", "loop", "loop_setpoint_c", "degC", 5, 60, "Supply temperature of the loop.")]

    def start(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""

    def toggle_pause(self) -> None:
        """Pause or go on."""
        self.paused = not self.paused
        self.calls.append("toggle_pause")
        self.version += 1

    def step(self, n: int = 1) -> None:
        """Advance."""
        self.tick += n
        self.calls.append("step")
        self.version += 1

    def step_back(self, n: int = 1) -> None:
        """Go back."""
        self.step(-n)

    def seek(self, at_ns: int) -> None:
        """Go to a moment."""
        self.tick = at_ns // S
        self.calls.append(f"seek {self.tick}")
        self.version += 1

    def last_alarm(self) -> None:
        """Go to the last alarm."""
        self.calls.append("last_alarm")

    def next_alarm(self) -> None:
        """Go to the next alarm."""
        self.calls.append("next_alarm")

    def last_act(self) -> Command | None:
        """Return what was sent last."""
        return self.sent[-1] if self.sent else None

    def set_speed(self, speed: float) -> None:
        """Change the pace."""
        self.speed = speed
        self.calls.append(f"speed {speed}")
        self.version += 1

    def send(self, command: Command) -> None:
        """Remember a command."""
        self.sent.append(command)
        self.version += 1

    def frame(self) -> Frame:
        """Return the frame of the present tick."""
        key = (self.tick, self.version)
        if self._made is None or self._made[0] != key:
            self._made = (key, self._make())
        return self._made[1]

    def _make(self) -> Frame:
        columns = fill(self.site, self.tick, self.scene)
        now = self.tick * S
        history = {f"{b.block_name}.{c.name}": columns[f"{b.block_name}.{c.name}"] for b in BLOCKS for c in b.columns
                   if c.history and f"{b.block_name}.{c.name}" in columns}
        alarms = [ActiveAlarm("crah_off", "A.crah4", "warning", 1_210 * S, 1.0, "CRAH fan is off (fault)",
                              "neighbouring CRAHs take over; watch the inlet air of A5 and A6", False),
                  ActiveAlarm("inlet_warm", "A5.14", "critical", 1_330 * S, 33.1,
                              "inlet air 33.1 °C above 32 °C: CRAH A.crah4 is off",
                              "lower the load of the row or bring the CRAH back", False)]
        faults = [ActiveFault("crah_fan_trip", "A.crah4", 1_200 * S, 1_800 * S, 1.0)]
        events = [Event(0, "info", "command", "", "scenario begins"),
                  Event(600 * S, "warning", "fault", "A2.cdu1.pumpA", "cdu_pump_trip starts for 5m"),
                  Event(604 * S, "warning", "alarm", "A2.cdu1", "pump A is off (fault); pump B takes over"),
                  Event(900 * S, "info", "fault", "A2.cdu1.pumpA", "cdu_pump_trip ends"),
                  Event(1200 * S, "warning", "fault", "A.crah4", "crah_fan_trip starts for 10m"),
                  Event(1210 * S, "warning", "alarm", "A.crah4", "CRAH fan is off (fault)"),
                  Event(1330 * S, "critical", "alarm", "A5.14", "inlet air 33.1 °C above 32 °C: CRAH A.crah4 is off")]
        if self.scene.get("calm"):
            alarms, faults, events = [], [], events[:1]
        kpi = {"pue": 1.13, "it_energy_kwh": 2410.0, "goodput_frac": 0.962}
        achieved = self.speed if not math.isinf(self.speed) else 640.0
        return Frame(self.version, self.tick, now, S, 3600 * S, columns, kpi, events, len(events), alarms, faults,
                     self.paused, self.speed, 0.0 if self.paused else achieved, FakeHistory(now, history))  # type: ignore[arg-type]


def fill(site: Site, tick: int, scene: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return plausible columns, every one that is declared shown."""
    out: dict[str, np.ndarray] = {}
    for block in BLOCKS:
        for col in block.columns:
            if col.shown and col.axis in site.axes:
                out[f"{block.block_name}.{col.name}"] = np.full(site.axes[col.axis], col.init, dtype=col.dtype)
    _fill_gpus(site, tick, out)
    _fill_racks(site, tick, out, calm=bool(scene.get("calm")))
    _fill_jobs(site, tick, out)
    _fill_rest(site, out, calm=bool(scene.get("calm")))
    for array in out.values():
        array.flags.writeable = False
    return out


def _fill_gpus(site: Site, tick: int, out: dict[str, np.ndarray]) -> None:
    t = site.topology
    gpus, nodes = len(t.gpu_rack), len(t.node_rack)
    jobs = np.full(gpus, -1, dtype=np.int32)
    shares = ((0, 0.0, 0.55), (1, 0.55, 0.63), (2, 0.63, 0.72), (3, 0.80, 0.84), (4, 0.88, 0.96))
    for job, lo, hi in shares:
        jobs[int(lo * gpus):int(hi * gpus)] = job
    level = np.array([0.95, 0.62, 0.88, 0.5, 0.7])
    util = np.where(jobs >= 0, level[jobs] * (0.97 + 0.03 * np.sin(tick / 5)), 0.0)
    util = np.clip(util + 0.03 * (noise(gpus, 1) - 0.5) * (util > 0), 0, 1)
    out["workload.gpu_job"], out["compute.gpu_util_frac"] = jobs, util
    tdp = np.where(t.gpu_class == 0, 1200.0, 700.0)
    power = tdp * (0.12 + 0.86 * util)
    tray = noise(nodes, 2)[t.gpu_node]
    place = np.arange(gpus) - t.node_gpu_ptr[t.gpu_node]
    base = np.where(t.gpu_class == 0, 38.0, 34.0)
    temp = base + 30 * power / tdp + 5 * tray + 0.9 * place + np.where(t.gpu_class == 1, 8.0 * (place % 2), 0)
    if gpus > 400:
        temp[6 * 72 + 40:6 * 72 + 44] += 14.0
    out["chip.gpu_temp_c"], out["chip.gpu_power_w"] = temp, power
    out["chip.gpu_hbm_temp_c"] = temp + 6
    throttle = np.where(temp > 88, 0x20, np.where(util > 0.94, 0x4, 0)).astype(np.int32)
    out["chip.gpu_throttle"] = throttle
    out["chip.gpu_clock_frac"] = np.where(throttle & 0x20, 0.8, 1.0)


def _fill_racks(site: Site, tick: int, out: dict[str, np.ndarray], calm: bool) -> None:
    t = site.topology
    ptr = t.rack_gpu_ptr[:-1]
    gpu_w = np.add.reduceat(out["chip.gpu_power_w"], ptr)
    out["chip.rack_gpu_power_w"] = gpu_w
    out["chip.rack_gpu_temp_c_max"] = np.maximum.reduceat(out["chip.gpu_temp_c"], ptr)
    out["chip.rack_throttled"] = np.add.reduceat((out["chip.gpu_throttle"] & 0x20 > 0).astype(np.int32), ptr)
    out["power.rack_input_w"] = gpu_w * 1.18 + 9000
    racks = len(ptr)
    out["liquid.rack_supply_temp_c"] = 38 + noise(racks, 3)
    out["liquid.rack_return_temp_c"] = 39 + 11 * gpu_w / 86_000 + noise(racks, 4)
    out["liquid.rack_flow_kg_s"] = np.full(racks, 2.05)
    inlet = 23.2 + 1.5 * noise(racks, 5)
    if not calm:
        near = np.exp(-((t.rack_column - 12.5) / 2.5) ** 2) * np.where(t.rack_row >= t.rack_row.max() - 1, 1.0, 0.25)
        inlet = inlet + 8.5 * near * (t.rack_hall == 0)
    out["air.rack_inlet_temp_c"], out["air.rack_outlet_temp_c"] = inlet, inlet + 13
    out["air.rack_air_flow_m3_s"] = np.full(racks, 1.02)
    floor, cells = site.floor, out["air.cell_temp_c"]
    for hall in range(len(site.names["hall"])):
        nx, ny, base = int(floor.hall_nx[hall]), int(floor.hall_ny[hall]), int(floor.hall_cell_ptr[hall])
        y, x = np.mgrid[0:ny, 0:nx]
        plume = 0 if calm else 9 * np.exp(-((x - 16) / 4) ** 2 - ((y - ny + 8) / 6) ** 2)
        for layer, warm in enumerate((20.5, 23.0, 29.0)):
            field = warm + np.where((y // 4) % 2 == 1, 0.5, 6.0 * (layer > 0)) + plume
            cells[base + layer * nx * ny:base + (layer + 1) * nx * ny] = field.ravel()


def _fill_jobs(site: Site, tick: int, out: dict[str, np.ndarray]) -> None:
    gpus = np.bincount(out["workload.gpu_job"][out["workload.gpu_job"] >= 0], minlength=6)
    def put(name: str, values: list[Any]) -> None:
        column = out[f"workload.job_{name}"]
        column[:] = np.array(values, dtype=column.dtype)
    put("state", [2, 2, 2, 5, 2, 1])
    put("submit_ns", [0, 0, 120 * S, 300 * S, 400 * S, 1000 * S])
    put("start_ns", [0, 0, 150 * S, 310 * S, 420 * S, -1])
    put("gpus", [*gpus[:5].tolist(), 512])
    put("work_s", [86_400, math.inf, 2400, 3000, 5000, 900])
    put("done_s", [tick * 0.96, tick, (tick - 150) * 0.9, 200, (tick - 420) * 0.99, 0])
    put("speed_frac", [0.96, 1.0, 0.88, 0.0, 0.99, 0])
    put("util_frac", [0.95, 0.62, 0.88, 0.1, 0.7, 0])
    put("phase", [1, 1, 2, 3, 1, 0])
    put("tokens", [3.1e9, 2.2e8, 1e8, 0, 0, 0])
    put("tokens_s", [2.1e6, 1.5e5, 8e4, 0, 0, 0])
    put("failures", [0, 0, 0, 1, 0, 0])
    held = out["workload.gpu_job"] >= 0
    watts = np.bincount(out["workload.gpu_job"][held], weights=out["chip.gpu_power_w"][held], minlength=6)
    out["chip.job_gpu_power_w"][:] = watts
    out["ledger.job_gpu_energy_j"][:] = watts * np.maximum(tick - np.array([0, 0, 150, 310, 420, tick]), 0)
    out["network.job_slowdown"][:] = [1.04, 1.0, 1.31, 1.0, 1.0, 1.0]
    for name, value in (("jobs_running", 4), ("jobs_queued", 1), ("gpus_allocated", int(gpus[:5].sum())),
                        ("tokens_s", 2.33e6)):
        out[f"workload.{name}"][:] = value


def racks_of(site: Site) -> int:
    """Return the number of racks."""
    return len(site.topology.rack_row)


def _fill_rest(site: Site, out: dict[str, np.ndarray], calm: bool) -> None:
    it = float(out["power.rack_input_w"].sum())
    for name, value in (("power.it_w", it), ("power.cooling_w", 0.07 * it), ("power.loss_w", 0.055 * it),
                        ("power.source_w", 1.125 * it), ("power.utility_w", 1.125 * it), ("ledger.pue_ratio", 1.125),
                        ("chip.gpu_temp_max_c", float(out["chip.gpu_temp_c"].max())),
                        ("chip.throttled_count", int((out["chip.gpu_throttle"] & 0x20 > 0).sum())),
                        ("air.inlet_temp_max_c", float(out["air.rack_inlet_temp_c"].max())),
                        ("liquid.supply_temp_max_c", 39.0), ("weather.outdoor_temp_c", 34.6),
                        ("weather.wet_bulb_temp_c", 23.4), ("weather.rel_humidity_frac", 0.41),
                        ("grid.price_usd_kwh", 0.071), ("grid.carbon_kg_kwh", 0.39), ("plant.makeup_kg_s", 1.1),
                        ("plant.rejected_heat_w", 1.02 * it), ("network.congestion_max_ratio", 1.18),
                        ("network.traffic_bytes_s", 3.2e13), ("power.utility_up", 1)):
        out[name][:] = value
    links = len(out["network.link_load_frac"])
    load = np.clip(0.25 + 0.75 * noise(links, 8) ** 2, 0, 1)
    out["network.link_load_frac"], out["network.link_demand_ratio"] = load, load * 1.18
    out["network.link_load_bytes_s"] = load * 4e11
    cdus = len(out["liquid.cdu_flow_kg_s"])
    standby = np.arange(cdus) % 3 == 2
    out["liquid.cdu_flow_kg_s"] = np.where(standby, 0.0, 17.0)
    out["liquid.cdu_supply_temp_c"], out["liquid.cdu_return_temp_c"] = np.full(cdus, 38.2), np.full(cdus, 49.1)
    out["liquid.cdu_supply_setpoint_c"], out["liquid.cdu_heat_w"] = np.full(cdus, 38.0), np.where(standby, 0, 8.1e5)
    if not calm:
        out["air.crah_fault"][3] = 1
        out["liquid.pump_fault"][6] = 1
    out["air.crah_supply_temp_c"] = np.where(out["air.crah_fault"] > 0, 31.0, 22.0)
    out["air.crah_return_temp_c"] = np.full(len(out["air.crah_fault"]), 35.0)
    for name, value in (("capture", 0.97), ("supplied", 0.9)):
        out[f"air.rack_{name}_frac"] = np.full(racks_of(site), value)
    out["air.hall_supply_heat_frac"][:], out["air.hall_return_heat_frac"][:] = 0.08, 0.92
    out["air.hall_return_temp_ratio"][:], out["air.hall_dew_point_temp_c"][:] = 0.95, 14.2
    out["liquid.tcs_flow_frac"][:], out["liquid.tcs_flow_kg_s"][:] = 0.98, 34.0
    out["liquid.tcs_inventory_kg"][:], out["liquid.tcs_dp_pa"][:] = 1140.0, 65_000.0
    out["air.crah_heat_w"] = np.where(out["air.crah_fault"] > 0, 0, 2.6e5)
    out["air.crah_air_flow_m3_s"] = np.where(out["air.crah_fault"] > 0, 0, 18.0)
    out["plant.loop_supply_temp_c"][:], out["plant.loop_return_temp_c"][:] = (32.1, 18.0), (41.0, 24.2)
    out["plant.loop_setpoint_c"][:], out["plant.loop_flow_kg_s"][:] = (32.0, 18.0), (240.0, 96.0)
    out["power.elec_load_w"] = it * np.array([0.5 ** name.count(".") if name != "utility" else 1.1
                                              for name in site.names["elec"]]) * 0.5
    out["power.battery_j"][:] = 1e9
