// The API's types under their own names.
import type { components } from './schema';

type Schemas = components['schemas'];
export type ApiError = Schemas['Error'];
export type Alarm = Schemas['Alarm'];
export type Attempt = Schemas['Attempt'];
export type Autopilot = Schemas['Autopilot'];
export type AutopilotPolicy = Schemas['AutopilotPolicy'];
export type Batch = Schemas['Batch'];
export type BookLine = Schemas['BookLine'];
export type ClaimedStack = Schemas['ClaimedStack'];
export type Dispute = Schemas['Dispute'];
export type Duty = Schemas['Duty'];
export type DutyPolicies = Schemas['DutyPolicies'];
export type DueAttestation = Schemas['DueAttestation'];
export type Earnings = Schemas['Earnings'];
export type Node = Schemas['Node'];
export type NodeKey = Schemas['NodeKey'];
export type Ready = Schemas['Ready'];
export type Reservation = Schemas['Reservation'];
export type Stack = Schemas['Stack'];
export type StackHistory = Schemas['StackHistory'];
export type StackResult = Schemas['StackResult'];
export type Subscription = Schemas['Subscription'];
export type Task = Schemas['Task'];
export type Transaction = Schemas['Transaction'];
export type TransactionDetail = Schemas['TransactionDetail'];
